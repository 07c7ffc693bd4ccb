//! The same questions to either side, and the answers written down so that they can be compared.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Instant;

use peildatum::domain::area::MunicipalityCode;
use peildatum::domain::time::AsOf;

use crate::Failure;
use crate::figures::Figures;
use crate::generated::SEED;
use crate::generated::questions::Questions;
use crate::measured::Times;

/// Of so many questions about one municipality the answers are written down.
const WRITTEN_ONE: usize = 1_000;
/// Of so many questions about all municipalities.
const WRITTEN_ALL: usize = 10;

/// Whoever can be asked.
pub trait Side {
    /// An answer as this side gives it.
    type Answer;

    /// The statement of one municipality.
    fn one(&mut self, code: MunicipalityCode, as_of: AsOf) -> Result<Self::Answer, Failure>;

    /// The statements of all municipalities, by code.
    fn all(&mut self, as_of: AsOf) -> Result<Vec<Self::Answer>, Failure>;

    /// The figures of an answer.
    fn figures(answer: Self::Answer) -> Figures;
}

/// How many questions are asked.
#[derive(Clone, Copy)]
pub struct HowMany {
    /// About one municipality.
    pub one: usize,
    /// About all.
    pub all: usize,
}

/// Asks the first question of all, which counts as a part of opening.
pub fn ask_first(side: &mut impl Side, sizes: RangeInclusive<u64>) -> Result<(), Failure> {
    let (code, as_of) = Questions::new(SEED ^ 2, sizes).next().expect("questions have no end");
    side.one(code, as_of).map(drop)
}

/// Asks, and takes the time of each answer.
pub fn ask<S: Side>(
    side: &mut S,
    sizes: RangeInclusive<u64>,
    how_many: HowMany,
    answers: &Path,
) -> Result<(Times, Times), Failure> {
    let mut written = BufWriter::new(File::create(answers)?);
    let mut times = Vec::with_capacity(how_many.one);
    let questions = Questions::new(SEED ^ 3, sizes.clone());
    for (index, (code, as_of)) in questions.take(how_many.one).enumerate() {
        let begun = Instant::now();
        let answer = side.one(code, as_of)?;
        times.push(begun.elapsed());
        if index < WRITTEN_ONE {
            writeln!(written, "{code} {as_of:?} {}", S::figures(answer))?;
        }
    }
    let one = Times::of(times);
    let mut times = Vec::with_capacity(how_many.all);
    let questions = Questions::new(SEED ^ 4, sizes);
    for (index, (_, as_of)) in questions.take(how_many.all).enumerate() {
        let begun = Instant::now();
        let all = side.all(as_of)?;
        times.push(begun.elapsed());
        if index < WRITTEN_ALL {
            for answer in all {
                writeln!(written, "all {as_of:?} {}", S::figures(answer))?;
            }
        }
    }
    written.flush()?;
    Ok((one, Times::of(times)))
}
