//! What the system costs: counted on what is emitted and executed, priced by a dated list of AWS's prices.
//!
//! Quantities come from the templates, from an execution of the emitted state machine and from the configuration; prices from
//! `prices.json`, which says of each where it stands, and when it was read there if it was. What comes to less than a cent a month or a push — objects, log lines,
//! requests to the table, the API and the topic — is not counted, and neither is AWS's free tier.

mod push;

use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use stacks::Project;

use crate::emission::{self, Emission};

const PRICES: &str = include_str!("prices.json");

/// How long a month is, in days.
const MONTH: f64 = 30.0;
/// How long a run of the reconciler takes, in seconds: it asks GitHub and AWS page by page.
const RECONCILER_SECONDS: f64 = 10.0;
/// How long a function takes that the state machine calls, in seconds.
const FUNCTION_SECONDS: f64 = 1.0;

/// What a push is taken to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Push {
    /// How many minutes the tests' build takes.
    pub test_minutes: u32,
    /// How many minutes the package's build takes.
    pub package_minutes: u32,
    /// How many minutes each of the other actions takes: source, change set, its execution.
    pub action_minutes: u32,
}

/// A usual push of the sample application.
pub const USUAL: Push = Push {
    test_minutes: 10,
    package_minutes: 8,
    action_minutes: 2,
};

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
pub enum CostsError {
    /// A price that the list lacks.
    #[error("no price of {0:?} is known\n  help: add it to testing/src/costs/prices.json, with its source")]
    NoPrice(String),
    /// A handler that no function has.
    #[error("no emitted function has the handler {0:?}, so its memory is not known")]
    NoFunction(String),
    /// The list is unreadable.
    #[error("the list of prices cannot be read")]
    Prices(#[from] serde_json::Error),
    /// The emitted machine did not carry a push to its end.
    #[error("the emitted state machine does not carry a push to its end: {0}")]
    Push(String),
}

#[derive(Debug, Deserialize)]
struct Prices {
    region: String,
    prices: Vec<Price>,
}

#[derive(Clone, Debug, Deserialize)]
struct Price {
    of: String,
    dollars: f64,
    unit: String,
    source: String,
    /// The day that it was read on AWS's own page; none if it is known from elsewhere.
    read: Option<String>,
}

impl Prices {
    fn of(&self, what: &str) -> Result<&Price, CostsError> {
        let price = self.prices.iter().find(|price| price.of == what);
        price.ok_or_else(|| CostsError::NoPrice(what.to_owned()))
    }
}

/// One line of a bill.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What is counted, in words.
    pub what: String,
    /// How many of the price's unit.
    pub count: f64,
    /// The price of one, in dollars.
    pub price: f64,
    /// The price's unit.
    pub unit: String,
    /// Whether the price was read on AWS's own page.
    pub is_read: bool,
}

impl Item {
    fn new(what: impl Into<String>, count: f64, price: &Price) -> Self {
        Self {
            what: what.into(),
            count,
            price: price.dollars,
            unit: price.unit.clone(),
            is_read: price.read.is_some(),
        }
    }

    /// What it comes to, in dollars.
    #[must_use]
    pub fn dollars(&self) -> f64 {
        self.count * self.price
    }
}

/// What a project costs.
#[derive(Debug)]
pub struct Costs {
    /// A month without a push.
    pub month: Vec<Item>,
    /// A push that is tested and deployed.
    pub push: Vec<Item>,
    assumed: Push,
    prices: Prices,
}

impl Costs {
    /// Counts what a project emits.
    ///
    /// # Errors
    /// [`CostsError`].
    pub fn of(project: &Project, assumed: Push) -> Result<Self, CostsError> {
        let prices: Prices = serde_json::from_str(PRICES)?;
        let emissions = emission::emit(project, &["pr-17"]);
        Ok(Self {
            month: month(project, &emissions, &prices)?,
            push: push(&emissions, assumed, &prices)?,
            assumed,
            prices,
        })
    }

    /// What each price is of, AWS's page for it, and the day that it was read there, such as `2026-11-30`, if it was.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str, Option<&str>)> {
        let prices = self.prices.prices.iter();
        prices.map(|price| (price.of.as_str(), price.source.as_str(), price.read.as_deref()))
    }
}

/// The sum of a bill, in dollars.
#[must_use]
pub fn sum(items: &[Item]) -> f64 {
    items.iter().map(Item::dollars).sum()
}

fn of_kind<'a>(emissions: &'a [Emission], kind: &'a str) -> impl Iterator<Item = emission::Resource<'a>> {
    emissions
        .iter()
        .flat_map(Emission::resources)
        .filter(move |resource| resource.kind == kind)
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

/// The memory of the function with this handler, in GB as Lambda bills it.
fn gigabytes(emissions: &[Emission], handler: &str) -> Result<f64, CostsError> {
    let function = of_kind(emissions, "AWS::Lambda::Function").find(|of| of.properties["Handler"] == handler);
    let function = function.ok_or_else(|| CostsError::NoFunction(handler.to_owned()))?;
    // What Lambda gives a function that does not say.
    Ok(function.properties["MemorySize"].as_f64().unwrap_or(128.0) / 1_024.0)
}

fn month(project: &Project, emissions: &[Emission], prices: &Prices) -> Result<Vec<Item>, CostsError> {
    let shared: Vec<Emission> = emissions.iter().filter(|of| of.owner == "shared").cloned().collect();
    let runs = MONTH * 24.0 * 60.0 / f64::from(project.limits.reconcile_minutes);
    let seconds = runs * RECONCILER_SECONDS * gigabytes(&shared, "reconcile")?;
    let counted = |kind| number(of_kind(&shared, kind).count());
    Ok(vec![
        Item::new("secrets", counted("AWS::SecretsManager::Secret"), prices.of("secret")?),
        Item::new("alarms", counted("AWS::CloudWatch::Alarm"), prices.of("alarm")?),
        Item::new(
            "metrics of its own",
            number(contract::metric::ALL.len()),
            prices.of("metric")?,
        ),
        Item::new("runs of the reconciler", runs, prices.of("invocation")?),
        Item::new("the time of these runs", seconds, prices.of("gigabyte_second")?),
    ])
}

fn push(emissions: &[Emission], assumed: Push, prices: &Prices) -> Result<Vec<Item>, CostsError> {
    let carried = push::carry(emissions, assumed).map_err(CostsError::Push)?;
    let seconds = carried
        .invocations
        .iter()
        .map(|handler| Ok(FUNCTION_SECONDS * gigabytes(emissions, handler)?))
        .sum::<Result<f64, CostsError>>()?;
    let transitions = u32::try_from(carried.transitions).map_or(f64::INFINITY, f64::from);
    let mut items = vec![
        Item::new("state transitions", transitions, prices.of("transition")?),
        Item::new(
            "calls of functions",
            number(carried.invocations.len()),
            prices.of("invocation")?,
        ),
        Item::new("the time of these calls", seconds, prices.of("gigabyte_second")?),
    ];
    let (mut minutes, mut builds) = (0, Vec::new());
    for action in actions(emissions) {
        if action["ActionTypeId"]["Provider"] == "CodeBuild" {
            let (what, time) = if action["ActionTypeId"]["Category"] == "Test" {
                ("minutes of the tests' build", assumed.test_minutes)
            } else {
                ("minutes of the package's build", assumed.package_minutes)
            };
            minutes += time;
            builds.push((what, time, machine_of(emissions, action)));
        } else {
            minutes += assumed.action_minutes;
        }
    }
    items.push(Item::new(
        "minutes of pipelines' actions",
        minutes.into(),
        prices.of("action_minute")?,
    ));
    for (what, time, machine) in builds {
        items.push(Item::new(what, time.into(), prices.of(&machine)?));
    }
    Ok(items)
}

/// The actions of the pipelines that a push goes through: the tests' and the environment's.
fn actions(emissions: &[Emission]) -> impl Iterator<Item = &Value> {
    let pipelines = of_kind(emissions, "AWS::CodePipeline::Pipeline");
    let stages = pipelines.flat_map(|pipeline| pipeline.properties["Stages"].as_array().into_iter().flatten());
    stages.flat_map(|stage| stage["Actions"].as_array().into_iter().flatten())
}

/// The kind and the size of the machine that an action builds on, which make its price: `ARM_CONTAINER/BUILD_GENERAL1_MEDIUM`.
fn machine_of(emissions: &[Emission], action: &Value) -> String {
    let project = action["Configuration"]["ProjectName"]["Ref"]
        .as_str()
        .unwrap_or_default();
    let project = of_kind(emissions, "AWS::CodeBuild::Project").find(|of| of.id == project);
    let text = |name| {
        project
            .and_then(|of| of.properties["Environment"][name].as_str())
            .unwrap_or_default()
    };
    format!("{}/{}", text("Type"), text("ComputeType"))
}

impl fmt::Display for Costs {
    /// The table of the runbook.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Push {
            test_minutes,
            package_minutes,
            action_minutes,
        } = self.assumed;
        writeln!(
            formatter,
            "Prices are those of {}, without the free tier. Those with ° were not read on AWS's own page: compare them with the first bill. A push is taken to be tested for {test_minutes} minutes, packaged for\n\
             {package_minutes}, and deployed to an environment that is there; every other action of a pipeline takes {action_minutes}.\n",
            self.prices.region
        )?;
        writeln!(formatter, "| what | how many | price | dollars |")?;
        writeln!(formatter, "|---|--:|---|--:|")?;
        for (title, items) in [("**a month without a push**", &self.month), ("**a push**", &self.push)] {
            writeln!(formatter, "| {title} | | | **{:.2}** |", sum(items))?;
            for item in items {
                let Item {
                    what,
                    count,
                    price,
                    unit,
                    is_read,
                } = item;
                let mark = if *is_read { "" } else { "°" };
                writeln!(
                    formatter,
                    "| {what} | {count:.0} | ${price} per {unit}{mark} | {:.4} |",
                    item.dollars()
                )?;
            }
        }
        Ok(())
    }
}
