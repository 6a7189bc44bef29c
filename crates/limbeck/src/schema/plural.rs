//! The plural of a word.
//!
//! The derive names tables by it, and the lint of models asks by it whether a name is one. A macro's crate exports no
//! functions, so the file stands in `limbeck-macros` and in `limbeck`, letter for letter the same: a test sees to it.

/// Words whose plural no rule gives. A word that is its own plural is here too.
pub(crate) const IRREGULAR: &[(&str, &str)] = &[
    ("person", "people"),
    ("child", "children"),
    ("man", "men"),
    ("woman", "women"),
    ("foot", "feet"),
    ("tooth", "teeth"),
    ("goose", "geese"),
    ("mouse", "mice"),
    ("leaf", "leaves"),
    ("life", "lives"),
    ("half", "halves"),
    ("shelf", "shelves"),
    ("wolf", "wolves"),
    ("knife", "knives"),
    ("datum", "data"),
    ("medium", "media"),
    ("index", "indexes"),
    ("matrix", "matrices"),
    ("vertex", "vertices"),
    ("analysis", "analyses"),
    ("basis", "bases"),
    ("crisis", "crises"),
    ("axis", "axes"),
    ("diagnosis", "diagnoses"),
    ("hypothesis", "hypotheses"),
    ("thesis", "theses"),
    ("criterion", "criteria"),
    ("phenomenon", "phenomena"),
    ("hero", "heroes"),
    ("potato", "potatoes"),
    ("echo", "echoes"),
    ("quiz", "quizzes"),
    ("data", "data"),
    ("media", "media"),
    ("news", "news"),
    ("series", "series"),
    ("species", "species"),
    ("means", "means"),
    ("headquarters", "headquarters"),
    ("settings", "settings"),
    ("preferences", "preferences"),
    ("credentials", "credentials"),
    ("statistics", "statistics"),
    ("stats", "stats"),
    ("analytics", "analytics"),
    ("logistics", "logistics"),
    ("equipment", "equipment"),
    ("information", "information"),
    ("metadata", "metadata"),
    ("staff", "staff"),
    ("feedback", "feedback"),
    ("software", "software"),
    ("hardware", "hardware"),
    ("sheep", "sheep"),
    ("fish", "fish"),
];

/// `post` → `posts`, `address` → `addresses`, `category` → `categories`. The word is in lower case.
pub(crate) fn plural(word: &str) -> String {
    if let Some((_, plural)) = IRREGULAR.iter().find(|(singular, _)| *singular == word) {
        return (*plural).to_owned();
    }
    if ["s", "x", "ch", "sh", "z"].iter().any(|end| word.ends_with(end)) {
        return format!("{word}es");
    }
    if let Some(stem) = word.strip_suffix('y')
        && !stem.ends_with(['a', 'e', 'i', 'o', 'u'])
        && !stem.is_empty()
    {
        return format!("{stem}ies");
    }
    format!("{word}s")
}
