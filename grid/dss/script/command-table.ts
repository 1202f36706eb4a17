/**
 * Facts about the OpenDSS language (version 9.8): its commands and `set` options in the order in which an abbreviation is
 * looked up, in lower case, divided by blanks.
 */
export const COMMAND_TABLE =
  'new edit more m ~ select save show solve enable disable plot reset compile set dump open close // redirect ' +
  'help quit ? next panel sample clear about calcvoltagebases setkvbase buildy get init export fileedit voltages ' +
  'currents powers seqvoltages seqcurrents seqpowers losses phaselosses cktlosses allocateloads formedit totals ' +
  'capacity classes userclasses zsc zsc10 zscrefresh ysc puvoltages varvalues varnames buscoords makebuslist ' +
  'makeposseq reduce interpolate alignfile top rotate vdiff summary distribute di_plot comparecases yearlycurves ' +
  'cd visualize closedi doscmd estimate reconductor _initsnap _solvenocontrol _samplecontrols _docontrolactions ' +
  '_showcontrolqueue _solvedirect _solvepflow addbusmarker uuids setloadandgenkv cvrtloadshapes nodediff rephase ' +
  'setbusxy updatestorage obfuscate latlongcoords batchedit pstcalc variable reprocessbuses clearbusmarkers ' +
  'relcalc var cleanup finishtimestep nodelist connect disconnect remove calcincmatrix calcincmatrix_o ' +
  'refine_buslevels calclaplacian exportoverloads exportvviolations zsc012 allpceatbus allpdeatbus totalpowers ' +
  'giscoords clearall comhelp newactor wait solveall abort clone';

/** Options of `set` and `solve`. */
export const OPTION_TABLE =
  'type element hour sec year frequency stepsize mode random number time class object circuit editor tolerance ' +
  'maxiterations h loadmodel loadmult normvminpu normvmaxpu emergvminpu emergvmaxpu %mean %stddev ldcurve %growth ' +
  'genkw genpf capkvar addtype allowduplicates zonelock ueweight lossweight ueregs lossregs voltagebases ' +
  'algorithm trapezoidal autobuslist controlmode tracecontrol genmult defaultdaily defaultyearly ' +
  'allocationfactors cktmodel pricesignal pricecurve terminal basefrequency harmonics maxcontroliter bus datapath ' +
  'keeplist reduceoption demandinterval %normal diverbose casename markercode nodewidth log recorder ' +
  'overloadreport voltexceptionreport cfactors showexport numallociterations defaultbasefrequency markswitches ' +
  'switchmarkercode daisysize marktransformers transmarkercode transmarkersize loadshapeclass earthmodel querylog ' +
  'markcapacitors markregulators markpvsystems markstorage capmarkercode regmarkercode pvmarkercode ' +
  'storemarkercode capmarkersize regmarkersize pvmarkersize storemarkersize neglectloady markfuses fusemarkercode ' +
  'fusemarkersize markreclosers reclosermarkercode reclosermarkersize registryupdate markrelays relaymarkercode ' +
  'relaymarkersize processtime totaltime steptime sampleenergymeters miniterations dssvisualizationtool keepload ' +
  'zmag seasonrating seasonsignal linetypes eventlogdefault longlinecorrection showreports numcpus numcores ' +
  'numactors activeactor cpu actorprogress parallel concatenatereports numanodes';

/** Options that outlive `clear`: they belong to the program, not to a circuit. */
export const LASTING_OPTIONS: ReadonlySet<string> = new Set(['datapath', 'defaultbasefrequency', 'editor', 'recorder']);

/** Commands that change the circuit as a whole; they are handed on by name, and not carried out while reading. */
export const MODEL_COMMANDS: ReadonlySet<string> = new Set([
  'allocateloads',
  'clone',
  'estimate',
  'makeposseq',
  'obfuscate',
  'reconductor',
  'reduce',
  'remove',
  'setloadandgenkv',
  'updatestorage',
]);

/** Study modes by the spelling that OpenDSS compares a value with, each with its default number of solutions. */
export const SOLVE_MODES: readonly (readonly [prefix: string, mode: string, number: number])[] = [
  ['autoadd', 'autoadd', 1],
  ['daily', 'daily', 24],
  ['direct', 'direct', 1],
  ['dutycycle', 'duty', 100],
  ['dynamics', 'dynamics', 1],
  ['faultstudy', 'faultstudy', 1],
  ['gicsolution', 'gic', 1],
  ['harmonics', 'harmonics', 1],
  ['harmonict', 'harmonict', 1],
  ['ld1', 'loadduration1', 1],
  ['ld2', 'loadduration2', 1],
  ['m1', 'montecarlo1', 100],
  ['m2', 'montecarlo2', 100],
  ['m3', 'montecarlo3', 100],
  ['mf', 'montecarlofault', 1],
  ['peakday', 'peakday', 24],
  ['snapshot', 'snapshot', 1],
  ['time', 'time', 1],
  ['yearly', 'yearly', 8760],
];
