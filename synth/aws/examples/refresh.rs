//! Refreshes the committed facts in `spec/` from an installed `cfn-lint` and the CDK's `aws-service-spec`.
//!
//! ```text
//! refresh <site-packages>/cfnlint <node_modules>/@aws-cdk/aws-service-spec          # rewrite spec/ and the feature list
//! refresh <site-packages>/cfnlint <node_modules>/@aws-cdk/aws-service-spec --check  # name what is stale, exit 1
//! ```
//!
//! Only facts are taken over (names, types, constraints, marks), no descriptions. The output is a function of the input, of the
//! committed spelling of IAM actions and of the ARNs in `permissions.json`: running it twice changes nothing.

#[path = "refresh/actions.rs"]
mod actions;
#[path = "refresh/arns.rs"]
mod arns;
#[path = "refresh/files.rs"]
mod files;
#[path = "refresh/handlers.rs"]
mod handlers;
#[path = "refresh/schema.rs"]
mod schema;
#[path = "refresh/tagging.rs"]
mod tagging;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use serde_json::{Map, Value};

/// Refresh the CloudFormation and IAM facts in `spec/` from an installed cfn-lint.
#[derive(Parser)]
#[command(after_help = "The version to refresh from is pinned in testing/tools; see synth/aws/spec/README.md.")]
struct Arguments {
    /// The `cfnlint` package folder, for example `.venv/lib/python3.11/site-packages/cfnlint`.
    cfn_lint: PathBuf,
    /// The folder of npm's `@aws-cdk/aws-service-spec`, which holds `db.json.gz`.
    service_spec: PathBuf,
    /// Change nothing; exit with 1 and name every stale file if the committed facts are not current.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(stale) if stale.is_empty() => ExitCode::SUCCESS,
        Ok(stale) if arguments.check => {
            for file in stale {
                eprintln!("stale: {}", file.display());
            }
            eprintln!(
                "help: cargo run -p synth-aws --example refresh -- {} {}",
                arguments.cfn_lint.display(),
                arguments.service_spec.display()
            );
            ExitCode::FAILURE
        }
        Ok(written) => {
            println!("wrote {} files", written.len());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Returns the files that differ from what is committed, after writing them unless `--check` is given.
fn run(arguments: &Arguments) -> Result<Vec<PathBuf>, String> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = arguments.cfn_lint.join("data");
    let schemas = read_schemas(&data)?;
    let stateful = read_stateful(&data)?;

    let committed = files::read_json(&package.join("spec/actions.json")).unwrap_or_default();
    let policies = files::read_json(&data.join("AdditionalSpecs/Policies.json"))?;
    let actions = actions::spelled(&policies, &committed)?;
    let reference = handlers::Reference::of(&actions, &policies);
    let arns = arns::read(&arguments.service_spec)?;
    let corrections = files::read_json(&package.join("permissions.json"))?;

    let mut services: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for (type_name, schema) in &schemas {
        // `Module` is the one type without a service: cfn-lint's stand-in for every `….::MODULE` type.
        let (service, resource) = type_name.rsplit_once("::").unwrap_or((type_name, type_name));
        let mut facts = schema::resource(schema, stateful.contains(type_name));
        let arn = arns.get(type_name);
        if let Some(arn) = arn {
            facts.insert("arn".to_owned(), Value::from(arn.as_str()));
        }
        let corrected = corrections.get(type_name).and_then(|facts| facts.get("arn")?.as_str());
        facts.extend(tagging::of(schema)?);
        facts.extend(handlers::permissions(
            schema,
            &reference,
            corrected.or(arn.map(String::as_str)),
        )?);
        services
            .entry(service.to_owned())
            .or_default()
            .insert(resource.to_owned(), Value::Object(facts));
    }

    let mut outputs = BTreeMap::new();
    for (service, resources) in &services {
        outputs.insert(
            package.join("spec").join(files::spec_file(service)),
            files::service_text(service, resources),
        );
    }
    outputs.insert(package.join("spec/actions.json"), files::actions_text(&actions));
    let manifest = package.join("Cargo.toml");
    let features = files::features(services.keys(), actions.keys());
    outputs.insert(manifest.clone(), files::with_features(&manifest, &features)?);
    files::write_changed(&package.join("spec"), &outputs, arguments.check)
}

/// The us-east-1 registry: every type that CloudFormation knows there, with its schema as cfn-lint patched it.
fn read_schemas(data: &Path) -> Result<BTreeMap<String, Value>, String> {
    let index = files::read_json(&data.join("schemas/providers/us-east-1.json"))?;
    let mut schemas = BTreeMap::new();
    for (type_name, hash) in &index {
        let hash = hash.as_str().ok_or_else(|| format!("{type_name} names no schema"))?;
        let schema = files::read_json(&data.join(format!("schemas/resources/{hash}.json")))?;
        schemas.insert(type_name.clone(), Value::Object(schema));
    }
    match schemas.len() {
        0 => Err(format!("no types in {}: cfn-lint's layout has changed", data.display())),
        _ => Ok(schemas),
    }
}

/// The types that hold data, whose replacement loses it.
fn read_stateful(data: &Path) -> Result<Vec<String>, String> {
    let stateful = files::read_json(&data.join("AdditionalSpecs/StatefulResources.json"))?;
    let types = stateful.get("ResourceTypes").and_then(Value::as_object);
    Ok(types
        .ok_or("StatefulResources.json has no `ResourceTypes`")?
        .keys()
        .cloned()
        .collect())
}
