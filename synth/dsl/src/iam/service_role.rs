//! [`Role`]: a role that one service assumes and that may do what it is granted.

use synth_aws::{AnyArn, Handle, Node, Object, Value};

use super::document::PolicyDocument;
use super::grant::{Grant, Operator};
use crate::stack::{Construct, Stack};

/// `AWS::IAM::Role` for one AWS service, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html>.
#[derive(Debug, Clone)]
#[must_use]
pub struct Role {
    service: String,
    name: Option<Node>,
    description: Option<String>,
    grants: Vec<Grant>,
    restrictions: Vec<(Operator, String, Node)>,
}

impl Role {
    /// A role that `service` (such as `lambda.amazonaws.com`) assumes and that may do nothing yet.
    pub fn assumed_by(service: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            name: None,
            description: None,
            grants: Vec::new(),
            restrictions: Vec::new(),
        }
    }

    /// The physical name, at most 64 characters; without one CloudFormation makes one up.
    pub fn name(mut self, name: impl Into<Value<String>>) -> Self {
        self.name = Some(name.into().into_node());
        self
    }

    /// What the role is for.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Lets the role do what the grant says.
    pub fn allow(mut self, grant: Grant) -> Self {
        self.grants.push(grant);
        self
    }

    /// Lets the service assume the role only on behalf of this resource, against the confused deputy; see
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html>.
    pub fn only_for(mut self, source: impl Into<Value<AnyArn>>) -> Self {
        self.restrictions
            .push((Operator::ArnLike, "aws:SourceArn".to_owned(), source.into().into_node()));
        self
    }
}

impl Construct for Role {
    type Handle = Handle<synth_aws::iam::Role>;

    #[track_caller]
    fn add_to(self, stack: &mut Stack, logical_id: &str) -> Self::Handle {
        let mut properties = Object::new();
        if let Some(name) = self.name {
            properties.set("RoleName", name);
        }
        if let Some(description) = self.description {
            properties.set("Description", description.into());
        }
        properties.set(
            "AssumeRolePolicyDocument",
            PolicyDocument::trusting(&self.service, &self.restrictions),
        );
        let facts = <synth_aws::iam::Role as synth_aws::Resource>::FACTS;
        let role = Handle::of(stack.push_resource(logical_id, facts.type_name.to_owned(), Some(facts), properties));
        for grant in self.grants {
            stack.grant(role, grant);
        }
        role
    }
}
