//! The words of the field as types: what a half-year, a placement or a standing is.
//!
//! The lowest floor of the house. Nothing here reads a clock, draws a random number or touches a
//! file, and nothing here can hold a wrong value: what does not fit is refused where it is made.

pub mod time;

pub mod half_year;

pub mod persons;

pub mod area;

pub mod reference;

pub mod person_number;

pub mod source;

pub mod placement;

pub mod quota;

pub mod evaluation;

pub mod carry_over;

pub mod amv;

pub mod grants;

pub mod plan;

pub mod rules;

pub mod regime;

pub mod objection;

pub mod event;

pub mod access;

/// What is wrong with a value: a sentence without the value itself.
///
/// A value that was delivered may hold something that must not be repeated (a person's number), so
/// a fault names what was expected and never what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub &'static str);

/// Room to write a short value in, so that no memory is asked for.
pub(crate) type Room = [u8; 36];

/// Fills a place with the digits of a number, with zeros in front.
fn digits(mut number: u32, to: &mut [u8]) {
    for place in to.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// What was written in a room.
fn written(room: &[u8]) -> &str {
    std::str::from_utf8(room).expect("digits, letters and signs between them")
}

/// Reads a value in JSON from the text that `FromStr` takes, and writes what `Display` shows.
///
/// A value of which there are some in every entry is written `in one piece`, by its `write_in`: it need not
/// go through the machinery of `Display`, which takes longer than all other work on an entry.
macro_rules! text_in_json {
    ($name:ty, in one piece) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                to.pad(self.write_in(&mut [0; _]))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.write_in(&mut [0; _]))
            }
        }

        $crate::domain::text_in_json!(read $name);
    };
    ($name:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        $crate::domain::text_in_json!(read $name);
    };
    (read $name:ty) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        to.write_str("text")
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                from.deserialize_str(Text)
            }
        }
    };
}
pub(crate) use text_in_json;

/// Declares a closed list of names: the variants, how each is written, and what to say otherwise.
macro_rules! named {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$each:meta])* $variant:ident = $text:literal,)+ } else $wrong:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$each])* $variant,)+
        }

        impl $name {
            /// Every one of them, in the order in which they are listed everywhere.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// How it is written in files and JSON.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            fn write_in(self, _: &mut $crate::domain::Room) -> &'static str {
                self.name()
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::Fault;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                const WRONG: &str = concat!($wrong, ": write one of" $(, " ", $text)+);
                Self::ALL.iter().copied().find(|it| it.name() == text).ok_or($crate::domain::Fault(WRONG))
            }
        }

        $crate::domain::text_in_json!($name, in one piece);
    };
}
pub(crate) use named;

/// Reads an optional field of JSON that is there: then it holds a value, never `null`.
pub(crate) fn present<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    T::deserialize(from).map(Some)
}

/// Reads a value from the text of one JSON object, and from nothing else.
///
/// Serde alone would also take the values in an array, in the order in which the program names its
/// fields. No schema allows that, and nobody could see in such a record what was meant.
///
/// # Errors
/// When the text is no JSON object, or not the one that the value asks for.
pub fn read_object<'de, T: serde::Deserialize<'de>>(text: &'de str) -> Result<T, serde_json::Error> {
    let mut from = serde_json::Deserializer::from_str(text);
    let value = object(&mut from)?;
    from.end()?;
    Ok(value)
}

/// Reads a field that holds an object, for the reason that [`read_object`] gives.
pub(crate) fn object<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    T::deserialize(ObjectOnly(from))
}

/// Reads an optional field that is there and holds an object.
pub(crate) fn present_object<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    object(from).map(Some)
}

/// An object inside a list, or beside `null`.
struct Item<T>(T);

impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Item<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        object(from).map(Self)
    }
}

/// Reads a list of objects.
pub(crate) fn objects<'de, T, D>(from: D) -> Result<Vec<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    let items = <Vec<Item<T>> as serde::Deserialize>::deserialize(from)?;
    Ok(items.into_iter().map(|Item(it)| it).collect())
}

/// Reads a field that is always there and holds an object or `null`.
pub(crate) fn object_or_null<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Ok(<Option<Item<T>> as serde::Deserialize>::deserialize(from)?.map(|Item(it)| it))
}

/// Whatever is asked of it, it reads an object.
pub(crate) struct ObjectOnly<D>(pub(crate) D);

impl<'de, D: serde::Deserializer<'de>> serde::Deserializer<'de> for ObjectOnly<D> {
    type Error = D::Error;

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
