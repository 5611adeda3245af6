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
    /// Its ARN with variables, such as `arn:${Partition}:s3:::${BucketName}`; of a part of something else, that thing's.
    pub arn: Option<&'static str>,
    /// How it takes tags.
    pub tagging: Tagging,
    /// What CloudFormation does in the name of whoever applies the template, by IAM action, sorted.
    ///
    /// Empty for the few types whose handlers are not in the registry, such as `AWS::CodeBuild::Project`.
    /// <https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html>
    pub permissions: &'static [PermissionFacts],
}

/// What the registry says of the tags of a type.
#[derive(Debug, Clone, Copy)]
pub enum Tagging {
    /// Nothing: an old type, which may have a property `Tags` all the same.
    Unknown,
    /// The type takes no tags.
    Never,
    /// The type takes tags.
    By(TaggingFacts),
}

/// How a type takes tags.
///
/// <https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html>
#[derive(Debug, Clone, Copy)]
pub struct TaggingFacts {
    /// The path of the property that carries them: `Tags`, or `TagSpecifications/*/Tags`.
    pub property: &'static str,
    /// Whether the resource has them from its creation on, or gets them afterwards.
    pub on_create: bool,
    /// Whether they can change without replacing the resource.
    pub updatable: bool,
    /// Whether CloudFormation's own tags (`aws:cloudformation:…`) get to the resource.
    pub system_tags: bool,
}

/// What a handler of a type may call.
#[derive(Debug)]
pub struct PermissionFacts {
    /// Such as `s3:CreateBucket`.
    pub action: &'static str,
    /// Which handlers declare it.
    pub handlers: &'static [ResourceHandler],
    /// What IAM binds the action to.
    pub bound: Bound,
    /// When the handlers call it.
    pub called: Called,
}

/// What IAM binds an action to, by the Service Authorization Reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The ARN of the resource type.
    Type,
    /// No resource: only `*` grants it.
    Nothing,
    /// Resources of another type.
    Other,
}

/// When the handlers of a type call an action, which the registry does not say: rules of `permissions.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Called {
    /// Whatever properties are set: an action of the type's own service that no rule names.
    Always,
    /// When one of these properties is set.
    For(&'static [&'static str]),
    /// Never for a template that is allowed anything, and why.
    Never(&'static str),
    /// No rule says: an action of another service.
    Unknown,
}

/// A part of a resource type that calls AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceHandler {
    /// Making the resource.
    Create,
    /// Reading it, which `Fn::GetAtt`, updates and drift detection do.
    Read,
    /// Changing it.
    Update,
    /// Removing it.
    Delete,
    /// Listing all resources of the type, which applying a template never does.
    List,
    /// What the type's tags need, besides what its handlers declare.
    Tagging,
}

/// In which form a property takes tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagShape {
    /// A list of objects with a `Key` and a `Value`.
    List,
    /// A list of objects with a `Key`, a `Value` and the boolean `PropagateAtLaunch`: `AWS::AutoScaling::AutoScalingGroup`.
    PropagatedList,
    /// A map of keys to values.
    Map,
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

impl ResourceFacts {
    /// The property that carries the tags of a resource of this type, and in which form; `None` if it takes none.
    ///
    /// Only properties of the resource itself count, not those of objects within it such as `TagSpecifications/*/Tags`. Of
    /// a type of which the registry does not say how it takes tags, `Tags` is the property if there is one, which is the name that
    /// AWS gives where nothing else is said.
    pub fn tags(&self) -> Option<(&'static str, TagShape)> {
        let name = match self.tagging {
            Tagging::Never => return None,
            Tagging::Unknown => "Tags",
            Tagging::By(facts) => facts.property,
        };
        let property = self.properties.property(name)?;
        let shape = match &property.shape {
            Shape::List {
                of: Shape::Struct(item),
                ..
            } if item.property("Key").is_some() && item.property("Value").is_some() => {
                match item.property("PropagateAtLaunch") {
                    Some(_) => TagShape::PropagatedList,
                    None => TagShape::List,
                }
            }
            Shape::Map { .. } | Shape::Json => TagShape::Map,
            _ => return None,
        };
        Some((property.name, shape))
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
