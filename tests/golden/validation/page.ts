import { NOTES, type ValidationRow } from './figures.js';

const TITLE = '# Validation';

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, c) => cell.padEnd(widths[c]!)).join(' | ')} |`;
  return [line(header), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}

const HEADER = ['feeder', 'nodes', 'max \\|dV\\| pu', 'at', 'losses', 'own controls', 'note'];

/** Small deviations are rounding of the reference's printed digits; their own digits say nothing. */
const power = (value: number) => (value < 1e-8 ? '< 1e-8' : value.toExponential(1));

function cells(row: ValidationRow): string[] {
  const { name, nodes, deviationPu, worst, lossPct, controls } = row;
  const losses = lossPct === undefined ? '-' : Math.abs(lossPct) < 0.001 ? '< 0.001 %' : `${lossPct.toFixed(3)} %`;
  const states = controls === undefined ? '-' : `${controls.equal} of ${controls.total}`;
  const shown = NOTES[name] ?? '';
  return [name, String(nodes), power(deviationPu), deviationPu < 1e-8 ? '-' : worst, losses, states, shown];
}

/** The page `docs/validation.md` from the rows of a whole run. */
export function validationPage(rows: readonly ValidationRow[]): string {
  const sorted = [...rows].sort((a, b) => b.deviationPu - a.deviationPu);
  const masters = sorted.filter(({ kind }) => kind === 'dss');
  const twins = sorted.filter(({ kind }) => kind === 'cim');
  const within = masters.filter(({ deviationPu }) => deviationPu <= 2e-5).length;
  const controlled = masters.flatMap(({ controls }) => controls ?? []);
  const sum = (key: 'equal' | 'total') => controlled.reduce((total, one) => total + one[key], 0);
  return `${TITLE}

What the power flow gives, beside reference solutions of OpenDSS. This page is written by \`npm run validate\` from a run over
all of them; tests hold every row to its limit and this page to the run.

- **Reference**: the public feeders solved by the DSS C-API engine (an OpenDSS build of 2024-06) with the file's own controls, then
  frozen and solved again to 1e-10.
- **max |dV|**: largest complex difference of any node voltage, in pu of the bus' base, with taps and capacitors set to the
  reference's and frozen. The limit is 2e-5 pu (1e-4 for four CIM
  files that lack the impedance of switches). Differences below 1e-8 are the rounding of the printed reference.
- **losses**: difference of all losses from the reference's summary; the limit is 0.1 % for masters. \`-\` where the summary's digits do not
  tell.
- **own controls**: regulators and capacitors that end in the reference's state when our own control loop acts, of all.

${within} of ${masters.length} masters are within 2e-5 pu; ${sum('equal')} of ${sum('total')} regulators and capacitors end in the state of the reference.

## The worst ten

${table(HEADER, sorted.slice(0, 10).map(cells))}

## OpenDSS masters

${table(HEADER, masters.map(cells))}

## CIM files against the solutions of their OpenDSS twins

A CIM file does not carry everything its script has; the notes say what makes the difference.

${table(HEADER, twins.map(cells))}

## Where a difference remains

- **Controls inside a dead band.** A control stops when it sees its band, so the state depends on the way to it. OpenDSS' inverter
  functions stop when vars move by less than 2.5 % and watts by less than 1 % of their reference; what that leaves depends on the
  number of solutions before. Where the reference was solved twice, ours is too; the row says it
  ([decision 8](decisions/0008-inverter-rounds.md)).
- **Switches.** CIM gives them no impedance: a closed one is 1e-6 ohm here, one that leads to a capacitor alone 1 + j1 mOhm.
  OpenDSS draws a switch as a short line of 1 + j1 mOhm, or with a matrix of its own. That is the difference of the IEEE 13-bus CIM
  files, and of their losses.
- **Cells at their reserve.** A cell within 1e-9 of its capacity from its reserve, or from full, counts as there and rests. OpenDSS
  goes by the last digit: of 300 cells whose \`%stored\` is their \`%reserve\` 33 discharge.
- **Geometry by \`like\`.** OpenDSS keeps the earth model of the moment at which a geometry is copied; a CIM file has one for all.
- **Random scripts.** Random circuits (tests/conformance/opendss) go further than scripts that are written to work: voltages
  collapse, ends float. Of 250 (seeds 1000 to 1249, controls off) 222 agree within 2e-5 pu, 16 have no answer because OpenDSS
  crashes, 12 differ; of 150 others (seeds 2000 to 2149) it is 134, 12 and 4. Of these 16 OpenDSS does not settle in 200
  iterations at 8 (1004, 1093, 1134, 1196, 1216, 2020, 2060, 2118), stops at an error at 2 (1086, 1229), spoils its memory at 1
  (1198). At 1031, 1068 and 2069, as at 1004, a delta winding without antifloat shunt hangs on nothing: its voltage to ground
  can be any (OpenDSS has a mean of its three phases of 108 V at the 277 V of 1031, of 11.8 kV at the 2.4 kV of 1004; between
  phases there is but one solution), and the power flow says that it is singular. At 1022 constant power all but alone ties such
  a winding to ground: both solve the equations, 0.4 pu apart. At 1071 a wire without a path to a source differs by 2.4e-5 pu.
  The test holds the first 130 seeds but 11, with controls the first 89 but 13.
- **Defects of OpenDSS that a script means.** A script is read as OpenDSS reads it, with a finding: one phase of a generator,
  PVSystem or Storage in delta is a third of its admittance outside its voltage window; the vars of generator model 7 change
  their sign below it; a device made by \`like\` has the conductors of a wye, or as many as phases; a unit keeps the voltage of
  one phase that its kV or connection was read with; capacitances written before \`basefreq\` count for the new frequency; what a
  command says after \`%idlingkvar\` of a Storage has no effect.
- **Earth resistivity of lines that share a geometry.** Each line keeps the \`rho\` it names, told by a finding; OpenDSS keeps one for
  the geometry, and every line has the one read last: of five lines of one geometry with 1000, 30, none, 500 and 10 ohm m all have its
  0.8828 ohm/km of own reactance at 10 ohm m, where that of 1000 ohm m is 1.0533. Lines without \`rho\` take that of the line of their geometry before.
- **Steps under control in delta.** OpenDSS counts the first steps of a delta bank again with each further one. A fixed bank is
  read so; one under control counts each step once, with a finding.
- **Voltages that OpenDSS never sets.** \`ptphase\` above 1 beside \`bus\` of a RegControl: OpenDSS, which ignores it by its description,
  takes the voltage from memory that nothing has written, and the tap runs to its end (16 for 0, 6 or 9 at a bus with 1.01, 0.97 and
  0.95 pu). Here the first node of the bus counts, as for \`max\` and \`min\` in both, with a finding. So at a bus that a backward delta
  (\`leadlag\`) regulates: the first two nodes count.
- **Power factor first under \`wattpf\`.** Where \`kvarMax\` cuts the vars that \`wattpf\` asks of a PVSystem with \`pfpriority=yes\`, OpenDSS goes to
  and fro between whole watts and those that keep the factor (300 and 123.9 kW at 60 kvar), and stops at either or not at all. Here the
  watts keep the factor. Every other function but \`voltwatt\` takes \`pfpriority\` away, in both.
- **Banks that begin out.** A CapControl of OpenDSS believes at first that its bank is in, whatever \`states\` says: with \`states=[0]\` its \`vmin\`
  brings nothing in until its mode has asked once to switch out. Here the bank comes in: of 360 snapshots of \`voltage\`, \`kvar\`, \`current\` and \`pf\`
  at 0.9 to 1.1 pu the 12 that differ are these.
- **Not represented.** Left out with a warning: GICLine, GICTransformer, GICSource, UPFC and its
  control, VSConverter, ESPVLControl, GenDispatcher, StorageController (the storage stays in the state that the script gives it).
  Read as something else, with a warning: generator model 6 (a program of the user) as constant power, the negative-sequence
  impedance \`z2\` of a source or a Reactor as Z1, InvControl \`avr\` and grid-forming modes as no control, \`balanced\` injection as one
  by phase, hysteresis, curves for charging and rates of change of an InvControl as none, \`set loadmodel=admittance\` and
  \`set cktmodel=positive\` as not set. The
  CapControl of a bank with a choke (\`r\`, \`xl\`) or between two buses does not act, and the bank stays as the script leaves it. Loads of
  \`status=exempt\` keep out of the circuit's multiplier in every mode, where OpenDSS multiplies them in yearly mode. Fuses,
  reclosers and relays stay in the state that the script gives them, all phases in one; OpenDSS may trip them in a snapshot, and
  opens single phases. Of an inverter between two nodes (a 240 V customer, or line to line) under an InvControl the voltage of
  each node counts against its own rating; OpenDSS sets node to ground against the rating between the two (up to 2e-2 pu). A Storage
  under \`wattpf\` or \`wattvar\` follows the curve, where OpenDSS gives it no vars. A PVSystem under \`wattvar\` stays within \`%Pmpp\` of
  Pmpp, where OpenDSS lets it deliver more (450 kW of 500 kWp at an irradiance of 0.9 and 50 %, here 250 kW), and keeps its watts where
  \`kvarMax\` or \`kvarMaxAbs\` cut its vars, where OpenDSS lowers them until the curve fits (5e-3 pu behind a small transformer). A Storage that charges
  beyond its kVA under \`voltwatt\` gives up watts for its vars, as without control; OpenDSS keeps its power factor there. A Storage of one phase in delta with \`limitcurrent=yes\` keeps
  its power inside its voltage window, where OpenDSS lowers it (8e-4 pu at one of 50 kW behind a transformer of 300 kVA); outside
  the window they agree.
  One generator of model 3 in delta holds the voltage between its nodes, where OpenDSS holds node to ground against the base between
  lines and runs to its most vars; two at one bus with targets that contradict one another end unsettled. A CapControl that watches
  power or current of a load, a generator, a unit with an inverter, a machine or a source does not act, with a warning; sections that begin
  with gaps (\`states=[0 0 1]\`) are filled from the first, where OpenDSS never fills below the last in service (2.7e-3 pu). An ExpControl
  keeps \`vreg\` within \`vregmin\` and \`vregmax\` in a snapshot too, and gives no vars where watts fill its kVA, where OpenDSS leaves them as
  they were (1e-3 pu). \`set allocationfactors\` after a load whose power was written behind its \`xfkva\` changes nothing.
  Commands that make another model of the one given are not carried out, with a warning:
  \`allocateloads\`, \`reduce\`, \`makeposseq\`, \`interpolate\`, \`rotate\`. A node of a bus that is no number (\`bus1=x.a\`) is an error;
  what OpenDSS makes of it depends on its memory.
`;
}

/** The rows of a page, by feeder: nodes, deviation as written, own controls. */
export function pageRows(
  page: string,
): ReadonlyMap<string, { readonly nodes: number; readonly deviation: string; readonly controls: string }> {
  const rows = new Map<string, { nodes: number; deviation: string; controls: string }>();
  for (const line of page.split('\n')) {
    const [, name, nodes, deviation, , , controls] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    if (name && deviation && /^\d+$/.test(nodes ?? ''))
      rows.set(name, { nodes: Number(nodes), deviation, controls: controls ?? '' });
  }
  return rows;
}
