//! Bodies that are lists of objects: each object is read by itself, so that a bad one costs only itself.
//!
//! The fast parser reads everything in one pass. Whatever it stumbles over is read again by the careful one,
//! which takes each element by itself. A reader is made anew for each pass.

use model::{Code, Refusal};
use serde::Deserializer;
use serde::de::{DeserializeSeed as _, Error, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::any::{Any, Found, Handle, Ignored, Parser, Text};
use super::explain;

/// Where the objects of a body are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the array that this field of the body is.
    Field(&'static str),
    /// The body is one, or an array of them.
    AloneOrArray,
}

/// Makes something of objects.
pub(crate) trait Objects<'de> {
    /// An object begins; what there is of one that was not ended is forgotten.
    fn begin(&mut self);

    /// Reads the value of a field, or passes over it.
    ///
    /// # Errors
    /// Only the parser's: a value that cannot be is noted, and told at [`Self::end`].
    fn field<A: MapAccess<'de>>(
        &mut self,
        name: &str,
        parser: Parser,
        map: &mut A,
    ) -> Result<(), A::Error>;

    /// Notes what is wrong with the object, unless something was before.
    fn refuse(&mut self, code: Code, message: impl FnOnce() -> String);

    /// The object is over.
    ///
    /// # Errors
    /// When the body as a whole is refused.
    fn end(&mut self) -> Result<(), Refusal>;
}

/// Reads a body.
///
/// # Errors
/// When it is not JSON, has another shape, or its reader refuses it as a whole.
pub(crate) fn read<'de, T: Objects<'de>>(
    body: &'de str,
    place: Place,
    make: impl Fn() -> T,
) -> Result<T, Refusal> {
    let mut objects = make();
    let mut deserializer = sonic_rs::Deserializer::from_str(body);
    let (result, whole) = pass(Parser::Sonic, place, &mut objects, &mut deserializer);
    match (result.and_then(|()| deserializer.end()), whole) {
        (Ok(()), None) => return Ok(objects),
        (_, Some(refusal)) if refusal.code == Code::TooManySamples => return Err(refusal),
        _ => {}
    }
    let mut objects = make();
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let (result, whole) = pass(Parser::SerdeJson, place, &mut objects, &mut deserializer);
    match (result.and_then(|()| deserializer.end()), whole) {
        (_, Some(refusal)) => Err(refusal),
        (Ok(()), None) => Ok(objects),
        (Err(error), None) => Err(explain::syntax(body, &error)),
    }
}

/// Reads a text that is one object, such as a line. What was read of it until an error is not ended:
/// the next [`Objects::begin`] forgets it.
///
/// # Errors
/// When it is not JSON or no object, or its reader refuses the whole body.
pub(crate) fn read_one<'de, T: Objects<'de>>(
    text: &'de str,
    objects: &mut T,
) -> Result<(), Refusal> {
    let parser = Parser::Sonic;
    let handler = One(&mut *objects);
    let mut deserializer = sonic_rs::Deserializer::from_str(text);
    let result = Any { parser, handler }.deserialize(&mut deserializer);
    if result.and_then(|()| deserializer.end()).is_ok() {
        return objects.end();
    }
    let parser = Parser::SerdeJson;
    let handler = One(&mut *objects);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let result = Any { parser, handler }.deserialize(&mut deserializer);
    match result.and_then(|()| deserializer.end()) {
        Ok(()) => objects.end(),
        Err(error) => {
            let message = if error.is_eof() {
                "the JSON breaks off".to_owned()
            } else {
                let what = explain::without_position(&error);
                format!("not JSON: {what} at column {}", error.column())
            };
            Err(Refusal::new(Code::SampleInvalid, message))
        }
    }
}

/// A body as text, which JSON is.
///
/// # Errors
/// When it is empty or not UTF-8.
pub(crate) fn text(body: &[u8]) -> Result<&str, Refusal> {
    let text = super::utf8(body)?;
    if text.trim_ascii().is_empty() {
        return Err(Refusal::new(Code::BodyInvalid, "the body is empty"));
    }
    Ok(text)
}

fn pass<'de, T: Objects<'de>, D: Deserializer<'de>>(
    parser: Parser,
    place: Place,
    objects: &mut T,
    deserializer: D,
) -> (Result<(), D::Error>, Option<Refusal>) {
    let mut whole = None;
    let handler = Body {
        place,
        objects,
        whole: &mut whole,
    };
    let result = Any { parser, handler }.deserialize(deserializer);
    (result, whole)
}

struct Body<'s, T> {
    place: Place,
    objects: &'s mut T,
    whole: &'s mut Option<Refusal>,
}

impl<'de, T: Objects<'de>> Body<'_, T> {
    fn shape(&mut self, message: String) {
        let refusal = Refusal::new(Code::BodyInvalid, message);
        self.whole.get_or_insert(refusal);
    }

    fn list<A: SeqAccess<'de>>(self, parser: Parser, mut seq: A) -> Result<(), A::Error> {
        loop {
            match parser {
                Parser::Sonic => {
                    let handler = One(self.objects);
                    if seq.next_element_seed(Any { parser, handler })?.is_none() {
                        return Ok(());
                    }
                }
                Parser::SerdeJson => {
                    let Some(raw) = seq.next_element::<&RawValue>()? else {
                        return Ok(());
                    };
                    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
                    // It may fail before it is known to be an object.
                    self.objects.begin();
                    let handler = One(self.objects);
                    if let Err(error) = (Any { parser, handler }).deserialize(&mut deserializer) {
                        let why = explain::without_position(&error);
                        self.objects.refuse(Code::SampleInvalid, || why);
                    }
                }
            }
            self.objects.end().map_err(|refusal| {
                *self.whole = Some(refusal);
                A::Error::custom("refused")
            })?;
        }
    }
}

impl<'de, T: Objects<'de>> Handle<'de> for Body<'_, T> {
    type Out = ();

    fn other(mut self, found: Found<'de>) {
        let wanted = match self.place {
            Place::Field(name) => format!("an object with {name}"),
            Place::AloneOrArray => "an object or an array of objects".to_owned(),
        };
        self.shape(format!("the body is {found}, not {wanted}"));
    }

    fn map<A: MapAccess<'de>>(mut self, parser: Parser, mut map: A) -> Result<(), A::Error> {
        let Place::Field(wanted) = self.place else {
            One(self.objects).map(parser, map)?;
            return self.objects.end().map_err(|refusal| {
                *self.whole = Some(refusal);
                A::Error::custom("refused")
            });
        };
        let mut is_found = false;
        while let Some(key) = map.next_key_seed(Text)? {
            if key != wanted {
                map.next_value_seed(Ignored::new(parser))?;
                continue;
            }
            is_found = true;
            let handler = List(Body {
                place: self.place,
                objects: self.objects,
                whole: self.whole,
            });
            map.next_value_seed(Any { parser, handler })?;
        }
        if !is_found {
            self.shape(format!("the body has no field {wanted}"));
        }
        Ok(())
    }

    fn seq<A: SeqAccess<'de>>(mut self, parser: Parser, mut seq: A) -> Result<(), A::Error> {
        if self.place == Place::AloneOrArray {
            return self.list(parser, seq);
        }
        while seq.next_element_seed(Ignored::new(parser))?.is_some() {}
        self.shape("the body is an array, not an object".to_owned());
        Ok(())
    }
}

/// The array of objects.
struct List<'s, T>(Body<'s, T>);

impl<'de, T: Objects<'de>> Handle<'de> for List<'_, T> {
    type Out = ();

    fn other(mut self, found: Found<'de>) {
        let Place::Field(name) = self.0.place else {
            return;
        };
        self.0.shape(format!("{name} is {found}, not an array"));
    }

    fn seq<A: SeqAccess<'de>>(self, parser: Parser, seq: A) -> Result<(), A::Error> {
        self.0.list(parser, seq)
    }
}

/// One of the objects.
struct One<'s, T>(&'s mut T);

impl<'de, T: Objects<'de>> Handle<'de> for One<'_, T> {
    type Out = ();

    fn other(self, found: Found<'de>) {
        self.0.begin();
        self.0.refuse(Code::SampleInvalid, || {
            format!("it is {found}, not an object")
        });
    }

    #[inline]
    fn map<A: MapAccess<'de>>(self, parser: Parser, mut map: A) -> Result<(), A::Error> {
        self.0.begin();
        while let Some(name) = map.next_key_seed(Text)? {
            self.0.field(&name, parser, &mut map)?;
        }
        Ok(())
    }
}
