//! Tags: teardown proves by them that nothing of a pull request is left, so every stack must really get them.

use testing::emission::{self, Emission};

#[test]
fn every_stack_says_whose_it_is() {
    for emission in emission::everything() {
        let tags = &emission.stack.tags;
        let has = |key: &str, value: &str| tags.iter().any(|(of, is)| of == key && is == value);
        assert!(
            has("pipeline:project", "thebestest"),
            "{}: {tags:?}",
            emission.stack.name
        );
        if emission.owner == "shared" {
            assert!(!tags.iter().any(|(key, _)| key == "pipeline:environment"));
        } else {
            assert!(
                has("pipeline:environment", &emission.owner),
                "{}: {tags:?}",
                emission.stack.name
            );
        }
    }
}

/// CodePipeline gives a stack no tags but those of a template configuration, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html>.
#[test]
fn the_pipeline_of_an_environment_tags_the_stack_that_it_makes() {
    let mut making = 0;
    for emission in emission::everything() {
        let pipelines = emission
            .resources()
            .filter(|of| of.kind == "AWS::CodePipeline::Pipeline");
        let stages = pipelines.flat_map(|pipeline| pipeline.properties["Stages"].as_array().into_iter().flatten());
        for action in stages.flat_map(|stage| stage["Actions"].as_array().into_iter().flatten()) {
            if action["Configuration"]["ActionMode"] == "CHANGE_SET_REPLACE" {
                making += 1;
                assert!(
                    action["Configuration"]["TemplateConfiguration"].is_string(),
                    "{}: the stack {} would be made without tags",
                    emission.stack.name,
                    action["Configuration"]["StackName"]
                );
            }
        }
    }
    let applications = emission::everything()
        .iter()
        .filter(|emission: &&Emission| emission.stack.name.ends_with("-app"))
        .count();
    assert_eq!(making, applications, "every application is made by a pipeline");
}
