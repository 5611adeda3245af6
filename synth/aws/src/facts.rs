//! What the registry says of types and properties, as constants that the generated code fills in.

/// A resource type.
#[derive(Debug)]
pub struct ResourceFacts {
    /// Such as `AWS::S3::Bucket`.
    pub type_name: &'static str,
    /// Its properties.
    pub properties: &'static StructFacts,
    /// The names that `Fn::GetAtt` takes.
    pub attributes: &'static [&'static str],
    /// Paths such as `Code/S3Key` (`*` for a list's items) whose change replaces the resource.
    pub create_only: &'static [&'static str],
    /// Paths whose change replaces the resource in some cases.
    pub conditional_create_only: &'static [&'static str],
    /// Paths that AWS never returns, so that drift of them cannot be seen.
    pub write_only: &'static [&'static str],
    /// Whether the resource holds data that its replacement or deletion would lose.
    pub stateful: bool,
}

/// An object type: a resource's properties or a nested property type.
#[derive(Debug)]
pub struct StructFacts {
    /// The properties, sorted by name.
    pub properties: &'static [PropertyFacts],
}

/// One property.
#[derive(Debug)]
pub struct PropertyFacts {
    /// The name as CloudFormation spells it.
    pub name: &'static str,
    /// Whether the object is invalid without it.
    pub required: bool,
    /// What its value may be.
    pub shape: Shape,
}

/// What a value may be.
#[derive(Debug)]
pub enum Shape {
    /// Text.
    Text(TextFacts),
    /// A whole number within bounds.
    Integer(Bounds),
    /// A number within bounds.
    Number(Bounds),
    /// A boolean.
    Boolean,
    /// Text, a number or a boolean.
    Scalar,
    /// Anything.
    Json,
    /// A list of so many items, pairwise different if `unique`.
    List {
        /// The shape of every item.
        of: &'static Shape,
        /// How many items.
        count: Bounds,
        /// Whether no item may stand twice.
        unique: bool,
    },
    /// A map of so many entries.
    Map {
        /// The shape of every value.
        of: &'static Shape,
        /// How many entries.
        count: Bounds,
    },
    /// An object.
    Struct(&'static StructFacts),
}

/// What text may be.
#[derive(Debug)]
pub struct TextFacts {
    /// Its length in characters.
    pub length: Bounds,
    /// An ECMAScript regular expression that it must contain a match of.
    pub pattern: Option<&'static str>,
}

/// An inclusive range, open where a bound is `None`.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The least.
    pub min: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
}

impl Bounds {
    /// No bounds.
    pub const ANY: Self = Self { min: None, max: None };

    /// Whether `value` is within.
    pub fn contain(self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

impl StructFacts {
    /// The property of that name.
    pub fn property(&self, name: &str) -> Option<&'static PropertyFacts> {
        self.properties
            .binary_search_by(|facts| facts.name.cmp(name))
            .ok()
            .map(|index| &self.properties[index])
    }
}
