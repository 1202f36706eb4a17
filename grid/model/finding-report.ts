import type { Element } from './element.js';
import type { Finding, FindingSeverity } from './finding.js';

/** Makes a finding about an element. */
export type Report = (
  severity: FindingSeverity,
  code: string,
  element: ReportedElement,
  message: string,
  facts?: Pick<Finding, 'attribute' | 'value' | 'allowed' | 'count'>,
) => void;

/** What a finding names. */
export interface ReportedElement extends Element {
  readonly kind: string;
}
