export { type ArithmeticResult, plainNumber, reversePolish } from './arithmetic.js';
export { DssFileSet, decodedText, directoryOfPath, joinedPath } from './file-set.js';
export { type DssFindingFacts, DssFindings } from './finding-list.js';
export { readDoubles, readNumberRows, readSingles } from './number-file.js';
export { readDssScript } from './reader.js';
export * from './script.js';
export * from './value.js';
