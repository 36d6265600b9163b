// Whether a document is OpenAPI 3.1, and each of its schemas JSON Schema 2020-12, by the judgement of others.
//
// Argument: the document's URL. Prints a line of JSON: {"version", "valid", "errors", "schemas": how many}.

import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv2020 from 'ajv/dist/2020.js';

const document = await (await fetch(process.argv[2])).json();
const validator = new Validator();
const { valid, errors } = await validator.validate(structuredClone(document));

const ajv = new Ajv2020.default({ strict: true, allowUnionTypes: true, formats: { 'date-time': true } });
const root = 'https://wardgate.example/openapi.json';
ajv.addKeyword('components');
ajv.addSchema({ $id: root, components: document.components }, root, undefined, false);
const names = Object.keys(document.components.schemas);
const faults = names.flatMap((name) => {
  try {
    const validate = ajv.compile({ $ref: `${root}#/components/schemas/${name}` });
    return typeof validate === 'function' ? [] : [name];
  } catch (error) {
    return [`${name}: ${error.message}`];
  }
});
console.log(JSON.stringify({ version: validator.version, valid, errors: errors ?? [], faults, schemas: names.length }));
