//! The states of objects.
