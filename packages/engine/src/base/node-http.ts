/**
 * Node's HTTP without what an `import` of it brings along: that reads every export, and one of them
 * (`WebSocket`) loads all of `fetch`, 14 MB that an engine without webhooks to ask never needs.
 */
export const http = process.getBuiltinModule('node:http');
