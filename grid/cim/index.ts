export * from './difference.js';
export * from './feeder.js';
export { CimIndex, CimObject, type CimValueKind } from './object-index.js';
export * from './reader.js';
export {
  CIM100_NAMESPACE,
  type CimDocumentStyle,
  type CimRecord,
  type CimProperty,
  cimDocument,
  enumeration,
  literal,
  reference,
  writeCim,
} from './writer.js';
