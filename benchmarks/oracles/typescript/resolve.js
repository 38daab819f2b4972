// TypeScript's own answer to where each module specifier of a tree leads.
//
//     node resolve.js TYPESCRIPT TREE < files > answers
//
// Reads paths, one a line; writes a JSON line for each specifier: file, line, specifier, how it is written, the file
// it leads to ("" for none) and whether that file stands in for an unbuilt one.
//
// A workspace package whose output is not built cannot be resolved by anybody. Here its output counts as present when
// a source of the same name lies where the package's tsconfig says that the output comes from (outDir -> rootDir), or
// in its `src`; TypeScript resolves as if it were built, and the answer is that source.
"use strict";
const fs = require("fs");
const path = require("path");
const ts = require(path.resolve(process.argv[2]));
const tree = fs.realpathSync(process.argv[3]);
const files = fs.readFileSync(0, "utf8").split("\n").filter(Boolean);
const known = new Set(files.map((file) => path.join(tree, file)));

const SOURCE_SUFFIXES = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"];
const BUILT_SUFFIX = /(\.d)?\.([mc]?ts|tsx|[mc]?js|jsx)$/;
const BUILT_FOLDERS = ["dist", "build", "lib", "esm", "cjs", "es", "out", "dist/esm", "dist/cjs", "build/modern",
  "build/legacy", "dist/node", "dist/client"];

const inTree = (file) => file.startsWith(tree + path.sep) && !file.includes("/node_modules/");

// The folders of the tree's packages.
const folders = new Set([...manifests(tree)].map((file) => path.dirname(file)));

function* manifests(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== "node_modules" && entry.name !== ".git") yield* manifests(file);
    else if (entry.name === "package.json") yield file;
  }
}

function packageFolder(file) {
  for (let folder = path.dirname(file); folder.startsWith(tree); folder = path.dirname(folder))
    if (folders.has(folder)) return folder;
  return undefined;
}

const origins = new Map();
// (output folder, source folder) of a package, as its tsconfigs declare them, then by convention.
function originsOf(folder) {
  if (!origins.has(folder)) {
    const found = [];
    for (const name of fs.readdirSync(folder))
      if (/^tsconfig.*\.json$/.test(name)) {
        const { options } = parseConfig(path.join(folder, name));
        if (options.outDir) found.push([options.outDir, options.rootDir || folder]);
        if (options.declarationDir) found.push([options.declarationDir, options.rootDir || folder]);
      }
    for (const built of BUILT_FOLDERS) found.push([path.join(folder, built), path.join(folder, "src")]);
    found.push([path.join(folder, "dist"), folder]);
    origins.set(folder, found);
  }
  return origins.get(folder);
}

const stands = new Map();
// The source behind a file that is not there; undefined if none is known.
function sourceOf(file) {
  if (!stands.has(file)) stands.set(file, findSource(file));
  return stands.get(file);
}

function findSource(file) {
  if (!inTree(file) || !BUILT_SUFFIX.test(file)) return undefined;
  const folder = packageFolder(file);
  if (!folder) return undefined;
  const stem = file.replace(BUILT_SUFFIX, "");
  for (const [output, source] of originsOf(folder)) {
    if (!stem.startsWith(output + path.sep)) continue;
    const inner = path.relative(output, stem);
    for (const base of [path.join(source, inner), path.join(source, "src", inner)])
      for (const suffix of SOURCE_SUFFIXES)
        for (const candidate of [base + suffix, path.join(base, "index" + suffix)])
          if (known.has(candidate)) return candidate;
  }
  return undefined;
}

const host = {
  ...ts.sys,
  getCurrentDirectory: () => tree,
  fileExists: (file) => ts.sys.fileExists(file) || sourceOf(linked(file)) !== undefined,
  directoryExists: (folder) => ts.sys.directoryExists(folder) || mayBeBuilt(linked(folder)),
  readFile: (file) => ts.sys.readFile(linked(file)),
  realpath: (file) => {
    const target = linked(file);
    return ts.sys.fileExists(target) ? ts.sys.realpath(target) : real(target);
  },
};

function mayBeBuilt(folder) {
  const owner = inTree(folder + "/x") && packageFolder(folder + "/x");
  return Boolean(owner) && owner !== folder && folder.startsWith(owner);
}

// A package of the workspace, reached through its link in node_modules.
function linked(file) {
  const match = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(file);
  return match && fs.existsSync(match[1]) ? real(match[1]) + (match[2] || "") : file;
}

function real(file) {
  for (let folder = file, rest = ""; folder !== path.dirname(folder); ) {
    if (fs.existsSync(folder)) return path.join(fs.realpathSync(folder), rest);
    rest = path.join(path.basename(folder), rest);
    folder = path.dirname(folder);
  }
  return file;
}

const configs = new Map();
function parseConfig(file) {
  if (!configs.has(file)) {
    const { config } = ts.readConfigFile(file, ts.sys.readFile);
    const parsed = ts.parseJsonConfigFileContent(config || {}, ts.sys, path.dirname(file), {}, file);
    configs.set(file, { options: parsed.options, names: new Set(parsed.fileNames), references: parsed.projectReferences || [] });
  }
  return configs.get(file);
}

const BUNDLED = { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler };
const FALLBACK = { ...BUNDLED, allowJs: true };

// The options of the nearest config that rules a file: itself, or a project beside it that it refers to.
function optionsOf(file) {
  for (let folder = path.dirname(file); folder.startsWith(tree); folder = path.dirname(folder))
    for (const name of ["tsconfig.json", "jsconfig.json"]) {
      const config = path.join(folder, name);
      if (!fs.existsSync(config)) continue;
      const own = parseConfig(config);
      if (!own.names.has(file))
        for (const reference of own.references) {
          const target = ts.resolveProjectReferencePath(reference);
          if (fs.existsSync(target) && parseConfig(target).names.has(file)) return parseConfig(target).options;
        }
      return own.options;
    }
  return FALLBACK;
}

const caches = new Map();
function resolve(specifier, file, written) {
  const options = { allowJs: true, ...optionsOf(file), resolveJsonModule: true };
  // Bundlers run what has no config of its own kind: `classic` is nobody's choice today.
  if (!options.moduleResolution && !options.module) Object.assign(options, { ...FALLBACK, ...options });
  const mode = written === "require" ? ts.ModuleKind.CommonJS : ts.getImpliedNodeFormatForFile(file, undefined, host, options);
  // What the config's mode does not find is found by what runs the file: `node10` is older than `exports`.
  for (const chosen of [options, { ...options, ...BUNDLED }]) {
    const key = `${options.configFilePath || ""} ${chosen.moduleResolution}`;
    if (!caches.has(key)) caches.set(key, ts.createModuleResolutionCache(tree, (name) => name, chosen));
    const found = ts.resolveModuleName(specifier, file, chosen, host, caches.get(key), undefined, mode);
    if (found.resolvedModule) return found.resolvedModule.resolvedFileName;
  }
  return undefined;
}

const MOCKS = new Set(["mock", "doMock", "unmock", "dontMock", "importActual", "importMock", "requireActual", "requireMock"]);
const MOCKERS = new Set(["jest", "vi", "vitest"]);

function callKind(node) {
  const callee = node.expression;
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return "import()";
  if (ts.isIdentifier(callee)) return callee.text === "require" ? "require" : undefined;
  if (!ts.isPropertyAccessExpression(callee) || !ts.isIdentifier(callee.expression)) return undefined;
  const owner = callee.expression.text;
  if (owner === "require" && callee.name.text === "resolve") return "require";
  return MOCKERS.has(owner) && MOCKS.has(callee.name.text) ? "mock" : undefined;
}

function* specifiers(source) {
  const found = [];
  const add = (node, written) => {
    if (node && ts.isStringLiteralLike(node)) found.push([node, written]);
  };
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, "import");
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, "export");
    else if (ts.isExternalModuleReference(node)) add(node.expression, "require");
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, "type");
    else if (ts.isModuleDeclaration(node) && ts.isExternalModule(source)) add(node.name, "augment");
    else if (ts.isCallExpression(node) && node.arguments.length) {
      const written = callKind(node);
      if (written) add(node.arguments[0], written);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  for (const [node, written] of found)
    yield [node.text, source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1, written];
  for (const reference of source.referencedFiles)
    yield [reference.fileName.startsWith(".") ? reference.fileName : "./" + reference.fileName,
      source.getLineAndCharacterOfPosition(reference.pos).line + 1, "reference"];
}

// A folder that a manifest names with `file:` is copied when it is installed; its source is the folder.
function copied(file) {
  const match = /\/\.pnpm\/[^/]*@file\+([^/_(]+)[^/]*\/node_modules\/(?:@[^/]+\/)?[^/]+\/(.*)$/.exec(file);
  const original = match && path.join(tree, match[1].replaceAll("+", "/"), match[2]);
  return original && fs.existsSync(original) ? original : file;
}

function answer(specifier, file, written) {
  const bare = specifier.split("?")[0];
  let found = resolve(bare, file, written);
  if (!found && /^\.{0,2}\//.test(bare) && known.has(path.join(path.dirname(file), bare)))
    found = path.join(path.dirname(file), bare);
  if (!found) return ["", false];
  found = copied(found);
  found = ts.sys.fileExists(found) ? fs.realpathSync(found) : found;
  if (known.has(found)) return [path.relative(tree, found), false];
  const source = sourceOf(found);
  return source ? [path.relative(tree, source), true] : [inTree(found) ? path.relative(tree, found) : "", false];
}

for (const file of files) {
  const full = path.join(tree, file);
  const kind = /\.[jt]sx$/.test(file) ? undefined : /\.[mc]?js$/.test(file) ? ts.ScriptKind.JSX : undefined;
  const source = ts.createSourceFile(full, fs.readFileSync(full, "utf8"), ts.ScriptTarget.Latest, true, kind);
  for (const [specifier, line, written] of specifiers(source)) {
    const [target, isUnbuilt] = answer(specifier, full, written);
    console.log(JSON.stringify({ file, line, specifier, written, target, isUnbuilt }));
  }
}
