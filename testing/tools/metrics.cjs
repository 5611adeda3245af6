// Lists the metrics of AWS's services: `node metrics.cjs FOLDER_OF_NODE_MODULES`.
// Answers with a list of {namespace, name, dimensions}; `dimensions` lists the sets of dimensions that the metric comes with.
"use strict";

const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { gunzipSync } = require("node:zlib");

const file = join(process.argv[2], "node_modules/@aws-cdk/aws-service-spec/db.json.gz");
const { schema } = JSON.parse(gunzipSync(readFileSync(file)));
const sets = new Map(schema.dimensionSet.entities.map((set) => [set.$id, set.dimensions.map(({ name }) => name)]));
const metrics = schema.metric.entities.map(({ $id, namespace, name }) => ({
  namespace,
  name,
  dimensions: (schema.usesDimensionSet.forward[$id] ?? []).map((used) => sets.get(used.$id)),
}));
process.stdout.write(JSON.stringify(metrics));
