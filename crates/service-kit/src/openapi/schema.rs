//! Shapes of values. Limits come from the constants of the code that holds them.

use std::ops::RangeInclusive;

use domain::text::Code;
use utoipa::Number;
use utoipa::openapi::schema::{
    AdditionalProperties, AllOfBuilder, AnyOfBuilder, Array, ArrayBuilder, KnownFormat, Object, ObjectBuilder, Ref,
    SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{RefOr, Schema};

/// The shape of a value.
pub type Shape = RefOr<Schema>;

/// Not blank and without NUL, as `domain::text` checks it.
const TEXT_PATTERN: &str = r"^[^\x00]*[^\s\x00][^\x00]*$";

fn of(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind)
}

fn formatted(format: KnownFormat) -> Shape {
    of(Type::String).format(Some(SchemaFormat::KnownFormat(format))).into()
}

/// Any text.
pub fn string() -> Shape {
    of(Type::String).into()
}

/// A text of people, of so many characters at most.
pub fn text(characters_max: usize) -> Shape {
    of(Type::String)
        .min_length(Some(1))
        .max_length(Some(characters_max))
        .pattern(Some(TEXT_PATTERN))
        .into()
}

/// A text that a regular expression describes.
pub fn pattern(pattern: &str) -> Shape {
    of(Type::String).pattern(Some(pattern)).into()
}

/// A code of the catalogue, as `domain::text::Code` checks it.
pub fn code() -> Shape {
    of(Type::String)
        .max_length(Some(Code::CHARACTERS_MAX))
        .pattern(Some("^[a-z][a-z0-9_]*$"))
        .into()
}

/// A text of so many characters at most.
pub fn opaque(characters_max: usize) -> Shape {
    of(Type::String).max_length(Some(characters_max)).into()
}

/// A UUID.
pub fn uuid() -> Shape {
    formatted(KnownFormat::Uuid)
}

/// An RFC 3339 instant.
pub fn instant() -> Shape {
    formatted(KnownFormat::DateTime)
}

/// A date.
pub fn date() -> Shape {
    formatted(KnownFormat::Date)
}

/// A whole number.
pub fn integer(range: RangeInclusive<i64>) -> Shape {
    let number = |bound: i64| isize::try_from(bound).ok().map(Number::Int);
    of(Type::Integer)
        .minimum(number(*range.start()))
        .maximum(number(*range.end()))
        .into()
}

/// A whole number that only grows from there.
pub fn integer_from(least: i64) -> Shape {
    integer(least..=i64::MAX)
}

/// True or false.
pub fn boolean() -> Shape {
    of(Type::Boolean).into()
}

/// One of these.
pub fn names<'n>(names: impl IntoIterator<Item = &'n str>) -> Shape {
    of(Type::String).enum_values(Some(names)).into()
}

/// Any number of these.
pub fn array(items: Shape) -> Shape {
    ArrayBuilder::new().items(items).into()
}

/// At most so many of these.
pub fn array_up_to(items_max: usize, items: Shape) -> Shape {
    ArrayBuilder::new().items(items).max_items(Some(items_max)).into()
}

/// Two of these.
pub fn pair(items: Shape) -> Shape {
    ArrayBuilder::new()
        .items(items)
        .min_items(Some(2))
        .max_items(Some(2))
        .into()
}

/// The schema of that name.
pub fn reference(name: &str) -> Shape {
    Ref::from_schema_name(name).into()
}

/// One or the other.
pub fn any_of(shapes: impl IntoIterator<Item = Shape>) -> Shape {
    shapes.into_iter().fold(AnyOfBuilder::new(), AnyOfBuilder::item).into()
}

/// All of these at once.
pub fn all_of(shapes: impl IntoIterator<Item = Shape>) -> Shape {
    shapes.into_iter().fold(AllOfBuilder::new(), AllOfBuilder::item).into()
}

/// The value, or null.
pub fn nullable(shape: Shape) -> Shape {
    match shape {
        RefOr::T(Schema::Object(mut object)) if object.enum_values.is_none() => {
            if let SchemaType::Type(kind) = object.schema_type {
                object.schema_type = SchemaType::from_iter([kind, Type::Null]);
            }
            object.into()
        }
        other => any_of([other, of(Type::Null).into()]),
    }
}

/// The same shape, and what it means. Nothing is said where `about` is empty.
pub fn described(shape: Shape, about: &str) -> Shape {
    if about.is_empty() {
        return shape;
    }
    let about = about.to_owned();
    match shape {
        RefOr::Ref(mut reference) => {
            reference.description = about;
            RefOr::Ref(reference)
        }
        RefOr::T(mut schema) => {
            match &mut schema {
                Schema::Object(Object { description, .. }) | Schema::Array(Array { description, .. }) => {
                    *description = Some(about);
                }
                Schema::AnyOf(any) => any.description = Some(about),
                Schema::AllOf(all) => all.description = Some(about),
                Schema::OneOf(one) => one.description = Some(about),
                _ => {}
            }
            RefOr::T(schema)
        }
    }
}

/// A member of an object.
#[derive(Debug)]
pub struct Property {
    name: String,
    shape: Shape,
    required: bool,
}

impl Property {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A member that is always there.
pub fn required(name: &str, about: &str, shape: Shape) -> Property {
    Property {
        required: true,
        ..optional(name, about, shape)
    }
}

/// A member that may be missing.
pub fn optional(name: &str, about: &str, shape: Shape) -> Property {
    Property {
        name: name.to_owned(),
        shape: described(shape, about),
        required: false,
    }
}

fn members(properties: impl IntoIterator<Item = Property>) -> ObjectBuilder {
    properties.into_iter().fold(of(Type::Object), |object, property| {
        let object = if property.required {
            object.required(property.name.clone())
        } else {
            object
        };
        object.property(property.name, property.shape)
    })
}

/// An object of these members and no others: what callers send.
pub fn object(properties: impl IntoIterator<Item = Property>) -> Shape {
    let closed = AdditionalProperties::FreeForm(false);
    members(properties).additional_properties(Some(closed)).into()
}

/// An object of these members, and of others that may come later: what the desk answers.
pub fn open_object(properties: impl IntoIterator<Item = Property>) -> Shape {
    members(properties).into()
}

/// An object that has at least this member.
pub fn having(name: &str) -> Shape {
    of(Type::Object).required(name).into()
}

/// An object of values of one shape, by names of another.
pub fn map(entries_max: usize, keys: Shape, values: Shape) -> Shape {
    of(Type::Object)
        .max_properties(Some(entries_max))
        .property_names(Some(Schema::from(keys)))
        .additional_properties(Some(values))
        .into()
}
