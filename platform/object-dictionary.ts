import type { MeasurementPoint, SparqlResult } from '../bus/index.js';
import type { CimObject } from '../grid/cim/index.js';
import { canonicalMrid } from '../grid/model/index.js';
import type { LoadedModel } from './loaded-model.js';
import { statementsOf } from './sparql/triples.js';

/** Attributes of an object by qualified name, all as text; links as the mRID of their target. */
export function describeObject(model: LoadedModel, object: CimObject): Readonly<Record<string, string>> {
  const entry: Record<string, string> = { id: object.mrid };
  for (const { attribute, kind, value } of object.properties()) {
    const text = kind === 'reference' ? (model.index.get(value)?.mrid ?? value) : value;
    const before = entry[attribute];
    entry[attribute] = before === undefined ? text : `${before},${text}`;
  }
  entry['type'] = object.className;
  return entry;
}

/** Properties of an object as a SPARQL table of `property` and `value`. */
export function objectTable(model: LoadedModel, object: CimObject): SparqlResult {
  const bindings = [...statementsOf(model.index, object)].map(({ predicate, kind, value }) => ({
    property: { type: 'uri', value: predicate },
    value: { type: kind, value },
  }));
  return { head: { vars: ['property', 'value'] }, results: { bindings } };
}

/** Objects of a class that belong to a model; in files with several feeders those of the other feeders are left out. */
export function objectsOf(model: LoadedModel, className: string): readonly CimObject[] {
  return model.index.byClass(className).filter((object) => belongsTo(model, object));
}

/** Class names of a model, by alphabet. */
export function classesOf(model: LoadedModel): readonly string[] {
  return [...model.index.classCounts().keys()].sort();
}

/** An object of a model by any spelling of its id. */
export function findObject(model: LoadedModel, id: string): CimObject | undefined {
  const object = model.index.get(id);
  return object && belongsTo(model, object) ? object : undefined;
}

/** The measurement points of a model, of one class of equipment, or of one piece of it. */
export function measurementPoints(
  model: LoadedModel,
  only: { readonly objectType?: string; readonly objectId?: string } = {},
): readonly MeasurementPoint[] {
  const wantedId = only.objectId === undefined ? undefined : canonicalMrid(only.objectId).toUpperCase();
  const points: MeasurementPoint[] = [];
  for (const className of ['Analog', 'Discrete']) {
    for (const measurement of model.index.byClass(className)) {
      const equipment = referenced(model, measurement, 'Measurement.PowerSystemResource');
      if (!equipment || !belongsTo(model, equipment)) continue;
      if (wantedId !== undefined) {
        if (equipment.id.toUpperCase() !== wantedId) continue;
      } else if (only.objectType !== undefined && equipment.className !== only.objectType) continue;
      const terminal = referenced(model, measurement, 'Measurement.Terminal');
      const node = terminal && referenced(model, terminal, 'Terminal.ConnectivityNode');
      points.push({
        measid: measurement.mrid,
        type: measurement.get('Measurement.measurementType') ?? '',
        class: className,
        name: measurement.name,
        bus: node?.name ?? '',
        phases: (measurement.get('Measurement.phases') ?? '').replace(/^.*\./, ''),
        eqtype: equipment.className,
        eqname: equipment.name,
        eqid: equipment.mrid,
        trmid: terminal?.mrid ?? '',
      });
    }
  }
  return points;
}

/** The object an attribute links to. */
export function referenced(model: LoadedModel, object: CimObject, attribute: string): CimObject | undefined {
  const id = object.ref(attribute);
  return id === undefined ? undefined : model.index.get(id);
}

function belongsTo(model: LoadedModel, object: CimObject): boolean {
  if (model.siblings.length < 2) return true;
  const own = canonicalMrid(model.mrid);
  const container = object.className === 'Feeder' ? object.id : object.ref('Equipment.EquipmentContainer');
  return container === undefined || container === own || !model.siblings.includes(container);
}
