//! What a line of the table of routes says for the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};

/// The named schemas of the document, collected as routes name them.
pub type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Gives a schema, and adds the named ones it points at.
pub type Shape = fn(&mut Schemas) -> RefOr<Schema>;

/// How one route is told.
pub struct Doc {
    pub summary: &'static str,
    /// Names with what they filter by.
    pub query: &'static [(&'static str, &'static str)],
    pub is_paged: bool,
    pub takes: Option<Shape>,
    pub status: u16,
    pub gives: Option<Shape>,
}

impl Doc {
    #[must_use]
    pub const fn new(summary: &'static str) -> Self {
        Self {
            summary,
            query: &[],
            is_paged: false,
            takes: None,
            status: 200,
            gives: None,
        }
    }

    #[must_use]
    pub const fn takes(mut self, shape: Shape) -> Self {
        self.takes = Some(shape);
        self
    }

    #[must_use]
    pub const fn gives(mut self, status: u16, shape: Shape) -> Self {
        self.status = status;
        self.gives = Some(shape);
        self
    }

    #[must_use]
    pub const fn gives_nothing(mut self) -> Self {
        self.status = 204;
        self
    }

    #[must_use]
    pub const fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
        self.query = query;
        self
    }

    /// Takes `limit` and `cursor`.
    #[must_use]
    pub const fn paged(mut self) -> Self {
        self.is_paged = true;
        self
    }
}

/// One object.
pub fn of<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    let mut inner = Vec::new();
    T::schemas(&mut inner);
    schemas.extend(inner);
    schemas.insert(T::name().into_owned(), T::schema());
    RefOr::Ref(Ref::from_schema_name(T::name()))
}

/// A page of objects, with the cursor to the next one.
pub fn list<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    let items = ArrayBuilder::new().items(of::<T>(schemas));
    let text_or_null = SchemaType::from_iter([Type::String, Type::Null]);
    let cursor = ObjectBuilder::new().schema_type(text_or_null);
    ObjectBuilder::new()
        .property("data", items)
        .required("data")
        .property("next_cursor", cursor)
        .required("next_cursor")
        .into()
}

/// An array of objects.
pub fn array<T: ToSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    ArrayBuilder::new().items(of::<T>(schemas)).into()
}

/// A text of lines that is no JSON as a whole.
pub fn lines(_: &mut Schemas) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).into()
}
