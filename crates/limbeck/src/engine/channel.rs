//! A connection as what the lists of views are read through.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::Connection;
use crate::driver::{Bind, RowSink, Stmt};
use crate::error::Result;
use crate::sql::compile::Compiler;
use crate::sql::view::Channel;

impl Channel for Connection {
    fn compiler(&self) -> Compiler<'_> {
        Compiler { dialect: self.dialect(), cache: self.statements() }
    }

    fn query<'a>(
        &'a mut self,
        stmt: &'a Arc<Stmt>,
        binds: &'a [Bind<'a>],
        sink: &'a mut dyn RowSink,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>> {
        Box::pin(self.query(stmt, binds, sink))
    }
}
