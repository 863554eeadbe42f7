// A client of the Lambda Runtime API for Node.js: `node index.mjs FILE.EXPORT`.
//
// AWS's own client (aws-lambda-ric) is a native module that is compiled when it is installed. This one needs only Node.js.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html

import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import module from "node:module";
import path from "node:path";
import { PassThrough } from "node:stream";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const API = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const TASK_ROOT = process.env.LAMBDA_TASK_ROOT;
const JSON_LOGS = process.env.AWS_LAMBDA_LOG_FORMAT === "JSON";
const LOG_FD = Number(process.env._LAMBDA_TELEMETRY_LOG_FD);
const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
let requestId = "undefined";
delete process.env._LAMBDA_TELEMETRY_LOG_FD;

// -- logs

/** Write one event: its type (with the level), its length, its time in microseconds, and the text. */
function log(level, text) {
  const message = Buffer.from(text);
  const header = Buffer.alloc(16);
  header.writeUInt32BE(0xa55a0002 + ((LEVELS.indexOf(level) + 1) << 2) + (JSON_LOGS ? 0 : 1), 0);
  header.writeUInt32BE(message.length, 4);
  header.writeBigUInt64BE(BigInt(Date.now()) * 1000n, 8);
  const frame = Buffer.concat([header, message]);
  for (let written = 0; written < frame.length; ) {
    written += fs.writeSync(LOG_FD, frame, written);
  }
}

function logLine(level, values) {
  const timestamp = new Date().toISOString();
  if (!JSON_LOGS) {
    return log(level, `${timestamp}\t${requestId}\t${level}\t${format(...values)}\n`);
  }
  const chosen = process.env.AWS_LAMBDA_LOG_LEVEL || "TRACE";
  if (LEVELS.indexOf(level) < LEVELS.indexOf(chosen)) {
    return undefined;
  }
  const record = { timestamp, level, requestId };
  const single = values.length === 1 && typeof values[0] === "object" && !(values[0] instanceof Error);
  record.message = single ? values[0] : format(...values);
  const error = values.find((value) => value instanceof Error);
  if (error) {
    Object.assign(record, { errorType: error.name, errorMessage: error.message, stackTrace: error.stack?.split("\n") });
  }
  return log(level, `${JSON.stringify(record)}\n`);
}

for (const [name, level] of Object.entries({
  trace: "TRACE", debug: "DEBUG", log: "INFO", info: "INFO", warn: "WARN", error: "ERROR",
})) {
  console[name] = (...values) => logLine(level, values);
}

// -- errors

function described(error) {
  if (!(error instanceof Error)) {
    const text = typeof error === "object" ? JSON.stringify(error) : String(error);
    return { errorType: typeof error, errorMessage: text, trace: [] };
  }
  return {
    errorType: error.name, errorMessage: error.message, trace: (error.stack || "").replaceAll("\x7F", "%7F").split("\n"),
  };
}

function logError(title, error) {
  const stack = described(error);
  const fields = { errorType: stack.errorType, errorMessage: stack.errorMessage, ...error, stack: stack.trace };
  logLine("ERROR", JSON_LOGS && error instanceof Error ? [error] : [`${title} \t${JSON.stringify(fields)}`]);
}

class RuntimeError extends Error {
  constructor(name, message) {
    super(message);
    this.name = `Runtime.${name}`;
  }
}

// -- the API

function call(method, place, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
    const request = http.request(`${API}${place}`, { method, agent, headers: { ...headers, ...length } }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const failure = (place, error) => {
  const body = described(error);
  const headers = { "Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": "Unhandled" };
  return call("POST", place, JSON.stringify(body), headers);
};

// -- custom resources

/**
 * Connect to the emulator where a program names its address without its port. CDK's custom resources answer CloudFormation
 * so: they send to host and path of ResponseURL, which on AWS has no port.
 */
function findEmulator() {
  const { hostname, port } = new URL(process.env.AWS_ENDPOINT_URL || "http://127.0.0.1");
  const connect = https.globalAgent.createConnection;
  https.globalAgent.createConnection = function createConnection(options, ...rest) {
    const isEmulator = port && options.host === hostname && Number(options.port) === 443;
    return connect.call(this, isEmulator ? { ...options, port: Number(port) } : options, ...rest);
  };
}

// -- the handler

/** Let `import` find packages in the folders of NODE_PATH, as AWS's runtime does. Node.js itself lets only `require`. */
function extendImports() {
  const folders = (process.env.NODE_PATH || "").split(":").filter(Boolean);
  const code = `
    const parents = ${JSON.stringify(folders)}.map((folder) => new URL("file://" + folder + "/../_.mjs").href);
    const isBare = (specifier) => !/^(\\.|\\/|[a-z]+:)/.test(specifier);`;
  if (module.registerHooks) {
    const { parents, isBare } = new Function(`${code}; return { parents, isBare };`)();
    module.registerHooks({
      resolve(specifier, context, next) {
        try {
          return next(specifier, context);
        } catch (error) {
          for (const parentURL of isBare(specifier) ? parents : []) {
            try {
              return next(specifier, { ...context, parentURL });
            } catch { /* the next folder may have it */ }
          }
          throw error;
        }
      },
    });
  } else {
    const source = `${code}
      export async function resolve(specifier, context, next) {
        try {
          return await next(specifier, context);
        } catch (error) {
          for (const parentURL of isBare(specifier) ? parents : []) {
            try { return await next(specifier, { ...context, parentURL }); } catch { /* the next folder may have it */ }
          }
          throw error;
        }
      }`;
    module.register(`data:text/javascript,${encodeURIComponent(source)}`);
  }
}

async function load(name) {
  const [, folder, rest] = name.match(/^(.*\/)?([^/]*)$/);
  const [file, ...exported] = rest.split(".");
  if (exported.length === 0) {
    throw new RuntimeError("MalformedHandlerName", "Bad handler");
  }
  const stem = path.resolve(TASK_ROOT, folder || "", file);
  const found = [".js", ".mjs", ".cjs"].map((extension) => stem + extension).find((each) => fs.existsSync(each));
  if (!found) {
    throw new RuntimeError("ImportModuleError", `Error: Cannot find module '${file}'`);
  }
  let loaded;
  try {
    loaded = await import(pathToFileURL(found).href);
  } catch (error) {
    const kind = error instanceof SyntaxError ? "UserCodeSyntaxError" : "ImportModuleError";
    const known = error instanceof SyntaxError || ["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"].includes(error?.code);
    throw known ? new RuntimeError(kind, `${error.name}: ${error.message}`) : error;
  }
  const pick = (start) => exported.reduce((value, key) => value?.[key], start);
  const handler = pick(loaded) ?? pick(loaded.default);
  if (typeof handler !== "function") {
    const problem = handler === undefined ? "undefined or not exported" : "not a function";
    throw new RuntimeError(handler === undefined ? "HandlerNotFound" : "HandlerNotFunction", `${name} is ${problem}`);
  }
  return handler;
}

// -- streamed responses: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html

const STREAMED = Symbol("streamed");

function collected(handler, event, context) {
  return new Promise((resolve, reject) => {
    const stream = new PassThrough();
    const chunks = [];
    stream.setContentType = () => {};
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", () => resolve(Buffer.concat(chunks).toString()));
    stream.on("error", reject);
    Promise.resolve(handler(event, stream, context)).catch(reject);
  });
}

globalThis.awslambda = {
  streamifyResponse: (handler) => Object.assign(handler, { [STREAMED]: true }),
  HttpResponseStream: {
    from(stream, metadata) {
      stream.write(Buffer.concat([Buffer.from(JSON.stringify(metadata)), Buffer.alloc(8)]));
      return stream;
    },
  },
};

// -- invocations

function makeContext(headers, settle) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const parsed = (name) => (headers[name] ? JSON.parse(headers[name]) : undefined);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    clientContext: parsed("lambda-runtime-client-context"),
    identity: parsed("lambda-runtime-cognito-identity"),
    getRemainingTimeInMillis: () => deadline - Date.now(),
    done: (error, result) => settle(error, result),
    fail: (error) => settle(error ?? "handled"),
    succeed: (result) => settle(null, result),
  };
}

/** Return what the handler returns, or gives to its callback. A callback waits until nothing else is left to do. */
function run(handler, event, headers) {
  return new Promise((resolve, reject) => {
    let context;
    const settle = (error, result) => {
      const end = () => (error === null || error === undefined ? resolve(result) : reject(error));
      return context.callbackWaitsForEmptyEventLoop ? process.once("beforeExit", end) : setImmediate(end);
    };
    context = makeContext(headers, settle);
    if (handler[STREAMED]) {
      return collected(handler, event, context).then(resolve, reject);
    }
    const answer = handler(event, context, settle);
    return typeof answer?.then === "function" ? answer.then(resolve, reject) : undefined;
  });
}

async function serve(handler) {
  for (;;) {
    const { headers, body } = await call("GET", "/invocation/next");
    requestId = headers["lambda-runtime-aws-request-id"];
    process.env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"] || "";
    const place = `/invocation/${requestId}`;
    try {
      const result = await run(handler, JSON.parse(body), headers);
      const text = handler[STREAMED] ? result : JSON.stringify(result === undefined ? null : result);
      await call("POST", `${place}/response`, text, { "Content-Type": "application/json" });
    } catch (error) {
      logError("Invoke Error", error);
      await failure(`${place}/error`, error);
    }
  }
}

function unhandled(name) {
  return async (error) => {
    const wrapped = new RuntimeError(name, error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    const known = name === "UncaughtException" && error instanceof Error ? error : wrapped;
    logError(name === "UncaughtException" ? "Uncaught Exception" : "Unhandled Promise Rejection", known);
    await failure(requestId === "undefined" ? "/init/error" : `/invocation/${requestId}/error`, known);
    process.exit(name === "UncaughtException" ? 129 : 128);
  };
}

process.on("uncaughtException", unhandled("UncaughtException"));
process.on("unhandledRejection", unhandled("UnhandledPromiseRejection"));
extendImports();
findEmulator();
let handler;
try {
  handler = await load(process.argv[2]);
} catch (error) {
  logError("Uncaught Exception", error);
  await failure("/init/error", error);
  process.exit(1);
}
await serve(handler);
