import './kept-shapes.js';

export * from './difference.js';
export * from './feeder.js';
export { CimIndex, CimObject, type CimValueKind } from './object-index.js';
export * from './reader.js';
export {
  CIM100_NAMESPACE,
  type CimDocumentStyle,
  type CimProperty,
  type CimRecord,
  cimDocument,
  enumeration,
  literal,
  reference,
  writeCim,
} from './writer.js';
