import type { Terminal } from './bus.js';
import type { Cell, Inverter, Panel } from './inverter.js';
import type { ProfileNames } from './profile.js';

/** What every piece of equipment has. */
export interface Element {
  /** Key: canonical mRID, else `<kind>.<name>`. */
  readonly id: string;
  /** mRID as the source spells it (used in messages); empty when the source has none. */
  readonly mrid: string;
  readonly name: string;
}

/** A small dense complex matrix, row-major, plain arrays so that it survives JSON. */
export interface ComplexMatrix {
  readonly n: number;
  /** Real parts, length n*n. */
  readonly re: readonly number[];
  /** Imaginary parts, length n*n. */
  readonly im: readonly number[];
}

/** How a shunt device is connected between its nodes. */
export type Connection = 'wye' | 'delta';

/**
 * A two-terminal share of a shunt device: the current it draws flows from `node` to `otherNode` of its bus.
 * A grounded-wye load of three phases is three of these to node 0; a delta load three from phase to phase; a 240 V
 * customer one from 1 to 2.
 */
export interface PhaseShare {
  readonly node: number;
  /** 0 is ground. */
  readonly otherNode: number;
  /** Nominal voltage across the two nodes, V. */
  readonly ratedVoltageV: number;
  /** Power of this share at nominal voltage, W; load positive for loads, generation positive for DER. */
  readonly powerW: number;
  /** Reactive power of this share, var; same sign rule. */
  readonly powerVar: number;
}

/** The ideal voltage behind an impedance that feeds the circuit. */
export interface Source extends Element {
  readonly kind: 'source';
  readonly terminal: Terminal;
  /** Where the other end of each conductor stands; absent: at ground. */
  readonly returnTerminal?: Terminal;
  /** Open-circuit line-to-line voltage, V. */
  readonly voltageV: number;
  /** Nominal line-to-line voltage, V: what 1 pu of `--source-voltage` means. */
  readonly nominalVoltageV: number;
  /** Angle of phase A, rad. */
  readonly angleRad: number;
  /** How its phases follow one another, where not A, B, C: backwards, or all at one angle. */
  readonly sequence?: 'negative' | 'zero';
  /** Positive- and zero-sequence impedance, ohm. */
  readonly r1Ohm: number;
  readonly x1Ohm: number;
  readonly r0Ohm: number;
  readonly x0Ohm: number;
}

/** A source of constant currents, whatever the voltage: it gives them to its terminal and takes them at its return. */
export interface CurrentSource extends Element {
  readonly kind: 'currentSource';
  readonly terminal: Terminal;
  /** Where the other end of each conductor stands; absent: at ground. */
  readonly returnTerminal?: Terminal;
  /** Current of each conductor, A. */
  readonly currentA: number;
  /** Angle of the first conductor's current, rad. */
  readonly angleRad: number;
  /** How its phases follow one another, where not A, B, C: backwards, or all at one angle. */
  readonly sequence?: 'negative' | 'zero';
}

/** A line or cable segment of any number of wires, as a nominal pi. */
export interface Line extends Element {
  readonly kind: 'line';
  readonly from: Terminal;
  readonly to: Terminal;
  readonly lengthM: number;
  /** Series impedance of the whole length, ohm, rows in conductor order. */
  readonly seriesOhm: ComplexMatrix;
  /** Shunt susceptance of the whole length, S, imaginary part only, same order; half stands at each end. */
  readonly shuntSiemens: ComplexMatrix;
  readonly ratingA?: number;
  /** Where the impedance came from. */
  readonly impedanceSource: 'matrix' | 'sequence' | 'own' | 'geometry';
  /** Conductors opened at each end, in conductor order; absent when all are closed. Charging stays at a closed end. */
  readonly isOpen?: { readonly from: readonly boolean[]; readonly to: readonly boolean[] };
  /** Controls that would open it: fuse, recloser or relay by name. They are data; their state is in `isOpen`. */
  readonly protection?: readonly { readonly kind: 'fuse' | 'recloser' | 'relay'; readonly name: string }[];
}

/**
 * A lumped impedance between two terminals: series or shunt reactor, neutral grounding impedance, series capacitor.
 * A shunt wye reactor ends at node 0 of its own bus, a delta reactor at the next phase of its own bus.
 */
export interface Reactor extends Element {
  readonly kind: 'reactor';
  readonly from: Terminal;
  readonly to: Terminal;
  /** Series impedance, ohm, rows in conductor order; parallel resistance is folded in. */
  readonly seriesOhm: ComplexMatrix;
  readonly ratingA?: number;
}

/** A switching device of any class. It is a short branch that opens by phase. */
export interface Switch extends Element {
  readonly kind: 'switch';
  /** CIM class: LoadBreakSwitch, Breaker, Fuse, Recloser, Disconnector, Sectionaliser, Jumper, Cut, Switch. */
  readonly switchClass: string;
  readonly from: Terminal;
  readonly to: Terminal;
  /** Open state by conductor, in conductor order. */
  readonly isOpen: readonly boolean[];
  readonly isNormallyOpen: boolean;
  readonly ratingA?: number;
  /** Series impedance when closed, ohm; OpenDSS' switch line is 0.001 + j0.001 ohm on the diagonal. */
  readonly seriesOhm: ComplexMatrix;
  /** Charging of the closed conductors, S, imaginary part only; half stands at each end. Absent for none. */
  readonly shuntSiemens?: ComplexMatrix;
}

/** One winding of a transformer (or of one tank of a bank). */
export interface Winding {
  /**
   * Nodes of the winding. One phase: two nodes `[a, b]`. Three phases wye: `[a, b, c, neutral]` with neutral 0 when
   * solidly grounded; three phases delta: `[a, b, c]`.
   */
  readonly terminal: Terminal;
  readonly connection: Connection;
  /** Rated voltage as OpenDSS has it, V: line-to-line for 2 and 3 phases, across the winding for 1 phase. */
  readonly ratedVoltageV: number;
  /** Rated power of the winding, all phases, VA. */
  readonly ratedPowerVA: number;
  /** Winding resistance, per unit on the first winding's rated power. */
  readonly resistancePu: number;
  /** Tap ratio without any regulator (1 = nominal). */
  readonly tapRatio: number;
  /**
   * Neutral-to-ground impedance, ohm, when the neutral is not solidly grounded; absent means solid; a negative `r`
   * means not grounded at all. A neutral node of 0 becomes a node of its own then.
   */
  readonly groundOhm?: { readonly r: number; readonly x: number };
}

/** A two- or three-winding transformer of one or three phases: a whole unit or one tank of a bank. */
export interface Transformer extends Element {
  readonly kind: 'transformer';
  /** 1 or 3. */
  readonly phases: number;
  readonly windings: readonly Winding[];
  /** Short-circuit reactances between winding pairs 12, 13, 23, ... (upper triangle by rows), per unit on the first winding. */
  readonly reactancesPu: readonly number[];
  /** No-load loss and magnetising current, per unit on the first winding's rated power. */
  readonly noLoadLossPu: number;
  readonly magnetisingPu: number;
  /**
   * How the windings are tied: `standard` separate windings; `auto` a series and a common winding (autotransformer);
   * `centerTap` is a standard three-winding unit whose windings 2 and 3 are the legs of a split-phase secondary.
   */
  readonly construction: 'standard' | 'auto' | 'centerTap';
  /** Reactive shunt on each winding conductor, per unit of the rated admittance; default 1e-6 (OpenDSS ppm_antifloat 1). */
  readonly antifloat?: number;
  /** IEC vector group as written, e.g. `Dyn1`; decides lead or lag of delta-wye pairs. */
  readonly vectorGroup?: string;
  /** True when a delta leads its wye partner (OpenDSS LeadLag = lead / euro). */
  readonly isDeltaLeading: boolean;
  /** mRID and name of the CIM PowerTransformer this is a tank of (the unit itself when there are no tanks). */
  readonly bankId: string;
  readonly bankName: string;
  readonly ratingVA: number;
}

/** A tap changer with its control, on one winding of one transformer. Its mRID is the RatioTapChanger's. */
export interface Regulator extends Element {
  readonly kind: 'regulator';
  readonly transformerId: string;
  /** Index of the regulated winding, from 0. */
  readonly winding: number;
  readonly lowStep: number;
  readonly highStep: number;
  readonly neutralStep: number;
  /** Ratio change of one step, pu (0.00625). */
  readonly stepPu: number;
  /** Present position, steps. */
  readonly position: number;
  readonly isControlEnabled: boolean;
  /** Band centre and full band width, V on the PT secondary. */
  readonly targetV: number;
  readonly bandV: number;
  readonly ptRatio: number;
  /** CT primary rating, A. */
  readonly ctPrimaryA: number;
  readonly hasLineDropCompensation: boolean;
  /** Line-drop compensator settings, V. */
  readonly lineDropRV: number;
  readonly lineDropXV: number;
  /** Compensation by the size of the current alone: V added to the target at rated current; it takes the place of R and X. */
  readonly lineDropZV?: number;
  readonly initialDelayS: number;
  readonly subsequentDelayS: number;
  /** The initial delay is divided by the deviation in half bands, by 10 at most. */
  readonly isInverseTime?: boolean;
  /** Voltage limits on the PT secondary, V, when set. */
  readonly maxVoltageV?: number;
  readonly minVoltageV?: number;
  readonly isReversible: boolean;
  /** What the control does while power flows backwards. Voltages on the PT secondary, V; power W; delay s. */
  readonly reverse?: {
    readonly targetV: number;
    readonly bandV: number;
    readonly lineDropRV: number;
    readonly lineDropXV: number;
    readonly lineDropZV?: number;
    readonly thresholdW: number;
    readonly delayS: number;
    /** Goes to the neutral tap and stays there. */
    readonly isNeutral: boolean;
    /** Co-generation: goes on regulating its own side, with the reverse target, band and compensator settings. */
    readonly isCogeneration: boolean;
  };
  /** Largest change in one pass, steps; default 16. */
  readonly maxTapChange?: number;
  /** Bus and node whose voltage is regulated; absent: the regulated winding's own terminal. */
  readonly monitored?: Terminal;
  /**
   * Index of the winding the control counts as its own where a voltage transformer at `monitored` measures for it, whichever
   * bus that is (OpenDSS `winding` beside `bus`): the tap acts the other way where it is on another winding, and neither
   * compensator nor reverse power is looked at.
   */
  readonly remotePtWinding?: number;
  /** The phase with the largest or the smallest voltage counts instead of a fixed one. */
  readonly monitoredExtreme?: 'max' | 'min';
  /** PT ratio at a monitored bus of its own, where it differs from `ptRatio`. */
  readonly remotePtRatio?: number;
  /** Id of the regulator whose tap changer it moves too: several controls on one winding. */
  readonly sharesTapOf?: string;
}

/** A switched or fixed shunt capacitor bank. */
export interface Capacitor extends Element {
  readonly kind: 'capacitor';
  readonly terminal: Terminal;
  readonly connection: Connection;
  /** Reactive power of one section at rated voltage over all phases, var. */
  readonly sectionVar: number;
  /** Rated voltage as OpenDSS has it, V: line-to-line for 2 and 3 phases, else across the unit. */
  readonly ratedVoltageV: number;
  readonly shares: readonly PhaseShare[];
  readonly sectionCount: number;
  /** Sections in service now, by phase share (0 = out). */
  readonly sectionsOn: readonly number[];
  readonly control?: CapacitorControl;
  /** Further controls of the same bank. */
  readonly otherControls?: readonly CapacitorControl[];
}

/** Automatic switching of a capacitor (CIM RegulatingControl, OpenDSS CapControl). */
export interface CapacitorControl {
  readonly mrid: string;
  readonly mode: 'voltage' | 'reactivePower' | 'currentFlow' | 'timeScheduled' | 'powerFactor';
  readonly isEnabled: boolean;
  /** Target and full dead band in the unit of the mode (V, var, A). */
  readonly target: number;
  readonly deadband: number;
  readonly delayS: number;
  /** Monitored element, terminal and phase. */
  readonly monitoredElementId?: string;
  readonly monitoredTerminal: number;
  readonly monitoredPhase?: string;
  /** How the phases of the voltage and of the current transformer count, where they differ from `monitoredPhase`. */
  readonly voltagePhase?: string;
  readonly currentPhase?: string;
  /** Bus whose voltage is watched in the place of the monitored terminal's. */
  readonly voltageBus?: Terminal;
  /** Delay before switching out, s, where it differs from `delayS`. */
  readonly delayOffS?: number;
  /** Time after switching out before it may be switched in again, s; default 300. */
  readonly deadTimeS?: number;
  /** By power factor: reactive power the terminal must draw before a bank that is out goes in, % of the bank's rating. */
  readonly leastVarPct?: number;
  /** Hours of the day at which a time-scheduled bank goes in and out. */
  readonly schedule?: { readonly onHour: number; readonly offHour: number };
  /** Voltages (V, line to neutral on the primary) at which voltage overrides the mode. */
  readonly voltageOverride?: { readonly minV: number; readonly maxV: number };
}

/** Voltage dependence of a load: shares of constant impedance, current and power, summing to 1. */
export interface ZipShares {
  readonly z: number;
  readonly i: number;
  readonly p: number;
}

/** A customer load; power positive when consumed. */
export interface Load extends Element {
  readonly kind: 'load';
  readonly terminal: Terminal;
  readonly connection: Connection;
  readonly shares: readonly PhaseShare[];
  readonly zipP: ZipShares;
  readonly zipQ: ZipShares;
  /** Exponents of voltage (V / rated) for P and Q in the place of the constant-power shares (OpenDSS load model 4). */
  readonly voltageExponents?: { readonly p: number; readonly q: number };
  /** Outside this voltage window the load becomes constant impedance (OpenDSS vminpu 0.95, vmaxpu 1.05). */
  readonly minVoltagePu: number;
  readonly maxVoltagePu: number;
  readonly customerCount: number;
  /** OpenDSS load model 1 to 8, where the source has one: it decides behaviour outside the voltage window. */
  readonly model?: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;
  /** Voltage below which the load is a constant impedance at its nominal admittance, pu; default 0.5. */
  readonly lowVoltagePu?: number;
  /** Voltage below which a ZIPV load (model 8) draws nothing, pu; default none. */
  readonly cutoffVoltagePu?: number;
  /** True when multipliers and profiles leave the reactive power as it is (models 6 and 7). */
  readonly isReactiveFixed?: boolean;
  /** Which multipliers act: all, profiles of their own only (`exempt`), none (`fixed`). Default `variable`. */
  readonly scaling?: 'variable' | 'fixed' | 'exempt';
  /**
   * Power factor it was given by, of the other sign for a leading one: the reactive power goes by it under a profile of actual
   * powers that has no reactive values. Absent: none then.
   */
  readonly powerFactor?: number;
  readonly profiles?: ProfileNames;
  /** Name of its growth profile. */
  readonly growth?: string;
  /** Profiles of the exponents of model 4. */
  readonly exponentProfile?: string;
}

/** What all power-electronic and rotating generation has; power positive when generated. */
export interface Generation extends Element {
  readonly terminal: Terminal;
  readonly connection: Connection;
  readonly shares: readonly PhaseShare[];
  readonly ratedPowerVA: number;
  /** Outside this window the unit becomes constant impedance, as an OpenDSS generator model 1 or PVSystem does. */
  readonly minVoltagePu: number;
  readonly maxVoltagePu: number;
  /**
   * Which part of its nominal admittance it has where it is an admittance: outside its window and by its model. Default 1;
   * a third for one phase in delta of an OpenDSS script.
   */
  readonly admittanceShare?: number;
}

/** A photovoltaic unit behind its inverter. `mrid` is the PowerElectronicsConnection's, `unitMrid` the PhotovoltaicUnit's. */
export interface PhotovoltaicSystem extends Generation {
  readonly kind: 'pv';
  readonly unitMrid: string;
  /** Largest active power, W (unit maxP, else the inverter's rating). */
  readonly maxPowerW: number;
  /** Sun and inverter, where the source has them: `shares` hold the power that follows from them. */
  readonly panel?: Panel;
  readonly inverter?: Inverter;
  /** 2: an admittance at any voltage (OpenDSS PVSystem model 2); default 1, constant power. */
  readonly model?: 1 | 2;
  readonly profiles?: ProfileNames;
}

/** A battery behind its inverter; power positive when discharging. */
export interface Battery extends Generation {
  readonly kind: 'battery';
  readonly unitMrid: string;
  readonly maxPowerW: number;
  /** Largest charging power as a positive number, W. */
  readonly maxChargeW: number;
  readonly ratedEnergyWh: number;
  readonly storedEnergyWh: number;
  readonly cell?: Cell;
  readonly inverter?: Inverter;
  /** 2: an admittance at any voltage (OpenDSS Storage model 2); default 1, constant power. */
  readonly model?: 1 | 2;
  readonly profiles?: ProfileNames;
}

/** A synchronous or asynchronous machine as a constant-power injection. */
export interface Machine extends Generation {
  readonly kind: 'machine';
  /** OpenDSS generator model; 3 holds its voltage (kV) within its var limits, all others inject P and Q. Default 1. */
  readonly model?: 1 | 2 | 3 | 4 | 5 | 6 | 7;
  /** Voltage set-point, pu, and var limits of model 3. */
  readonly voltageTargetPu?: number;
  readonly maxVar?: number;
  readonly minVar?: number;
  readonly profiles?: ProfileNames;
  /** Runs at its fixed power whatever the profile (OpenDSS status=fixed). */
  readonly isFixed?: boolean;
  /** Its current keeps its size whatever the voltage, at the power factor of the shares (OpenDSS VCCS). */
  readonly isCurrentConstant?: boolean;
}

/** An induction machine by its equivalent circuit in symmetrical components; no current in the zero sequence. */
export interface InductionMachine extends Element {
  readonly kind: 'inductionMachine';
  /** Three conductors. */
  readonly terminal: Terminal;
  /** Line-to-line voltage and power that the per unit values are of, V and VA. */
  readonly ratedVoltageV: number;
  readonly ratedPowerVA: number;
  /** Power that the positive sequence takes at the terminal, W; negative for a generator. */
  readonly powerW: number;
  /** Equivalent circuit, pu. */
  readonly statorRPu: number;
  readonly statorXPu: number;
  readonly rotorRPu: number;
  readonly rotorXPu: number;
  readonly magnetisingXPu: number;
  /** Slip, of which the power follows where it is fixed; else it follows the power up to `maxSlip` in size. */
  readonly slip: number;
  readonly maxSlip: number;
  readonly isSlipFixed: boolean;
}

/** One measured quantity of one phase at one terminal (CIM Analog or Discrete). */
export interface Measurement {
  readonly id: string;
  readonly mrid: string;
  readonly name: string;
  readonly class: 'Analog' | 'Discrete';
  /** PNV voltage, VA power, A current, Pos position, SoC state of charge. */
  readonly type: 'PNV' | 'VA' | 'A' | 'Pos' | 'SoC';
  readonly phase: string;
  /** Canonical id and CIM class of the measured equipment. */
  readonly equipmentId: string;
  readonly equipmentClass: string;
  readonly equipmentName: string;
  readonly terminalMrid: string;
  readonly bus: string;
}

/** Anything that connects two or more buses. */
export type BranchElement = Line | Switch | Transformer | Reactor;
/** Anything that generates or stores. */
export type Der = PhotovoltaicSystem | Battery | Machine;
