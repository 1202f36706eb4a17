import './kept-shapes.js';

export { CimObject, type CimValueKind } from './cim-object.js';
export * from './difference.js';
export * from './difference-model.js';
export * from './feeder.js';
export { CimIndex } from './object-index.js';
export * from './reader.js';
export {
  CIM100_NAMESPACE,
  type CimDocumentStyle,
  type CimProperty,
  type CimRecord,
  cimDocument,
  enumeration,
  escapeXml,
  literal,
  reference,
  writeCim,
} from './writer.js';
