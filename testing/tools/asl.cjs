// Validates state machine definitions: `node asl.cjs FOLDER_OF_NODE_MODULES < {"paths": [...]}`.
// Answers with a list of {file, rule, path, message}. asl-validator checks the structure; its patterns let a malformed JSONata expression
// through when it has no space inside the braces, and name no position, so every expression is parsed here as well. It also takes the
// machine and its branches for one set of states, and any Next for a way in, so the transitions are followed here as well.
"use strict";

const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join } = require("node:path");

const tools = createRequire(join(process.argv[2], "package.json"));
const validate = tools("asl-validator");
const jsonata = tools("jsonata");

// One step of a JSON pointer.
const step = (key) => key.replaceAll("~", "~0").replaceAll("/", "~1");

// A state inherits the machine's query language, and a machine inside a Map or Parallel state that of the state around it.
function expressions(node, path, language, found) {
  if (typeof node === "string") {
    if (language === "JSONata" && (/^\s*\{%/.test(node) || /%\}\s*$/.test(node))) found.push({ path, text: node.trim() });
  } else if (node !== null && typeof node === "object") {
    const own = Array.isArray(node) || typeof node.QueryLanguage !== "string" ? language : node.QueryLanguage;
    for (const [key, value] of Object.entries(node)) {
      if (key !== "Comment") expressions(value, `${path}/${step(key)}`, own, found);
    }
  }
  return found;
}

// Step Functions removed $eval from JSONata; the parser does not know that.
function calls(node, name) {
  if (node === null || typeof node !== "object") return false;
  if (node.type === "function" && node.procedure?.type === "variable" && node.procedure.value === name) return true;
  return Object.values(node).some((value) => calls(value, name));
}

function faultOf({ path, text }) {
  if (!text.startsWith("{%") || !text.endsWith("%}")) {
    return { rule: "JSONATA_BRACES", path, message: `${text}: an expression begins with {% and ends with %}` };
  }
  try {
    if (calls(jsonata(text.slice(2, -2)).ast(), "eval")) {
      return { rule: "JSONATA_EVAL", path, message: `${text}: Step Functions has no $eval` };
    }
    return null;
  } catch (fault) {
    return { rule: "JSONATA_SYNTAX", path, message: `${text}: ${fault.message} (${fault.code}, position ${fault.position})` };
  }
}

// asl-validator's patterns refuse an empty text and a line break in the data of a JSONata state; Step Functions takes both.
const DATA = new Set(["Arguments", "Assign", "Condition", "Output"]);
function onOneLine(node, inData) {
  if (typeof node === "string") return inData ? node.replaceAll(/[\r\n]/g, " ") || "empty" : node;
  if (node === null || typeof node !== "object") return node;
  if (Array.isArray(node)) return node.map((inner) => onOneLine(inner, inData));
  return Object.fromEntries(Object.entries(node).map(([key, inner]) => [key, onOneLine(inner, inData || DATA.has(key))]));
}

function transitions(state) {
  const edges = [...(state.Choices ?? []), ...(state.Catch ?? [])].map((way) => way.Next);
  return [state.Next, state.Default, ...edges].filter((target) => typeof target === "string");
}

// Within one set of states: every target is in it, and every state can be reached from StartAt.
function lost(machine, path) {
  const { StartAt, States } = machine;
  if (States === null || typeof States !== "object") return [];
  const found = [];
  const reached = new Set();
  const waiting = [[StartAt, `${path}/StartAt`]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [name, from] = next;
    if (!Object.hasOwn(States, name)) {
      found.push({ rule: "NO_SUCH_TARGET", path: from, message: `${name} is not among the states beside it` });
    } else if (!reached.has(name)) {
      reached.add(name);
      waiting.push(...transitions(States[name]).map((target) => [target, `${path}/States/${step(name)}`]));
    }
  }
  for (const [name, state] of Object.entries(States)) {
    const here = `${path}/States/${step(name)}`;
    if (!reached.has(name)) found.push({ rule: "NOT_REACHABLE", path: here, message: `no way leads from ${StartAt} to ${name}` });
    (state.Branches ?? []).forEach((branch, position) => found.push(...lost(branch, `${here}/Branches/${position}`)));
    for (const inner of ["ItemProcessor", "Iterator"]) {
      if (state[inner]) found.push(...lost(state[inner], `${here}/${inner}`));
    }
  }
  return found;
}

function findings(file) {
  let definition;
  try {
    definition = JSON.parse(readFileSync(file, "utf8"));
  } catch (fault) {
    return [{ file, rule: "NOT_JSON", path: "", message: fault.message }];
  }
  const malformed = expressions(definition, "", definition.QueryLanguage ?? "JSONPath", []).map(faultOf).filter(Boolean);
  const refused = validate(onOneLine(definition, false), { checkPaths: true, checkArn: true }).errors.map((error) => ({
    rule: error["Error code"],
    path: error.schemaError?.instancePath ?? "",
    message: error.Message,
  }));
  return [...malformed, ...lost(definition, ""), ...refused].map((finding) => ({ file, ...finding }));
}

const { paths } = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(paths.flatMap(findings)));
