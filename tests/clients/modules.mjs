// Loaded before a test's program (`node --import`): packages come from the folder that WARDGATE_NODE_MODULES names, which
// need not lie above the program.

import { registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = pathToFileURL(path.join(process.env.WARDGATE_NODE_MODULES, 'importer.mjs')).href;

registerHooks({
  resolve(specifier, context, next) {
    const isPackage = /^[a-z@]/.test(specifier) && !specifier.includes(':');
    const ours = context.parentURL?.startsWith('file:') && !context.parentURL.includes('/node_modules/');
    return next(specifier, isPackage && ours ? { ...context, parentURL: folder } : context);
  },
});
