/**
 * Facts about the OpenDSS language (version 9.8): every class with its properties in the order in which values without a
 * name are taken and in which an abbreviation is looked up; what only later versions have stands behind `like`.
 */

/** Classes that describe data, not elements of the circuit. */
export const DATA_CLASSES: readonly string[] = [
  'linecode',
  'loadshape',
  'tshape',
  'priceshape',
  'xycurve',
  'growthshape',
  'tcc_curve',
  'spectrum',
  'wiredata',
  'cndata',
  'tsdata',
  'linespacing',
  'linegeometry',
  'xfmrcode',
  'dynamicexp',
];

/** Class in lower case: its properties in OpenDSS order, in lower case, divided by blanks. */
export const PROPERTY_TABLE: Readonly<Record<string, string>> = {
  linecode:
    'nphases r1 x1 r0 x0 c1 c0 units rmatrix xmatrix cmatrix basefreq normamps emergamps faultrate pctperm repair ' +
    'kron rg xg rho neutral b1 b0 seasons ratings linetype like',
  loadshape:
    'npts interval mult hour mean stddev csvfile sngfile dblfile action qmult useactual pmax qmax sinterval ' +
    'minterval pbase qbase pmult pqcsvfile memorymapping interpolation like',
  tshape: 'npts interval temp hour mean stddev csvfile sngfile dblfile sinterval minterval action like',
  priceshape: 'npts interval price hour mean stddev csvfile sngfile dblfile sinterval minterval action like',
  xycurve: 'npts points yarray xarray csvfile sngfile dblfile x y xshift yshift xscale yscale like',
  growthshape: 'npts year mult csvfile sngfile dblfile like',
  tcc_curve: 'npts c_array t_array like',
  spectrum: 'numharm harmonic %mag angle csvfile like',
  wiredata: 'rdc rac runits gmrac gmrunits radius radunits normamps emergamps diam seasons ratings capradius like',
  cndata:
    'k diastrand gmrstrand rstrand epsr inslayer diains diacable rdc rac runits gmrac gmrunits radius radunits ' +
    'normamps emergamps diam seasons ratings capradius like',
  tsdata:
    'diashield tapelayer tapelap epsr inslayer diains diacable rdc rac runits gmrac gmrunits radius radunits ' +
    'normamps emergamps diam seasons ratings capradius like',
  linespacing: 'nconds nphases x h units like',
  linegeometry:
    'nconds nphases cond wire x h units normamps emergamps reduce spacing wires cncable tscable cncables tscables ' +
    'seasons ratings linetype like',
  xfmrcode:
    'phases windings wdg conn kv kva tap %r rneut xneut conns kvs kvas taps xhl xht xlt xscarray thermal n m flrise ' +
    'hsrise %loadloss %noloadloss normhkva emerghkva maxtap mintap numtaps %imag ppm_antifloat %rs x12 x13 x23 ' +
    'rdcohms seasons ratings like',
  line:
    'bus1 bus2 linecode length phases r1 x1 r0 x0 c1 c0 rmatrix xmatrix cmatrix switch rg xg rho geometry units ' +
    'spacing wires earthmodel cncables tscables b1 b0 seasons ratings linetype normamps emergamps faultrate pctperm ' +
    'repair basefreq enabled like epsrmedium heightoffset heightunit',
  vsource:
    'bus1 basekv pu angle frequency phases mvasc3 mvasc1 x1r1 x0r0 isc3 isc1 r1 x1 r0 x0 scantype sequence bus2 z1 ' +
    'z0 z2 puz1 puz0 puz2 basemva yearly daily duty model puzideal spectrum basefreq enabled like',
  isource: 'bus1 amps angle frequency phases scantype sequence yearly daily duty bus2 spectrum basefreq enabled like',
  vccs:
    'bus1 phases prated vrated ppct bp1 bp2 filter fsample rmsmode imaxpu vrmstau irmstau spectrum basefreq enabled ' +
    'like',
  load:
    'phases bus1 kv kw pf model yearly daily duty growth conn kvar rneut xneut status class vminpu vmaxpu vminnorm ' +
    'vminemerg xfkva allocationfactor kva %mean %stddev cvrwatts cvrvars kwh kwhdays cfactor cvrcurve numcust zipv ' +
    '%seriesrl relweight vlowpu puxharm xrharm spectrum basefreq enabled like',
  transformer:
    'phases windings wdg bus conn kv kva tap %r rneut xneut buses conns kvs kvas taps xhl xht xlt xscarray thermal ' +
    'n m flrise hsrise %loadloss %noloadloss normhkva emerghkva sub maxtap mintap numtaps subname %imag ' +
    'ppm_antifloat %rs bank xfmrcode xrconst x12 x13 x23 leadlag wdgcurrents core rdcohms seasons ratings normamps ' +
    'emergamps faultrate pctperm repair basefreq enabled like',
  regcontrol:
    'transformer winding vreg band ptratio ctprim r x bus delay reversible revvreg revband revr revx tapdelay ' +
    'debugtrace maxtapchange inversetime tapwinding vlimit ptphase revthreshold revdelay revneutral eventlog ' +
    'remoteptratio tapnum reset ldc_z rev_z cogen basefreq enabled like',
  capacitor:
    'bus1 bus2 phases kvar kv conn cmatrix cuf r xl harm numsteps states normamps emergamps faultrate pctperm ' +
    'repair basefreq enabled like',
  reactor:
    'bus1 bus2 phases kvar kv conn rmatrix xmatrix parallel r x rp z1 z2 z0 z rcurve lcurve lmh normamps emergamps ' +
    'faultrate pctperm repair basefreq enabled like',
  capcontrol:
    'element terminal capacitor type ptratio ctratio onsetting offsetting delay voltoverride vmax vmin delayoff ' +
    'deadtime ctphase ptphase vbus eventlog usermodel userdata pctminkvar reset controlsignal basefreq enabled like',
  fault:
    'bus1 bus2 phases r %stddev gmatrix ontime temporary minamps normamps emergamps faultrate pctperm repair ' +
    'basefreq enabled like',
  dynamicexp: 'nvariables varnames var varidx expression domain like',
  generator:
    'phases bus1 kv kw pf kvar model vminpu vmaxpu yearly daily duty dispmode dispvalue conn status class vpu ' +
    'maxkvar minkvar pvfactor forceon kva mva xd xdp xdpp h d usermodel userdata shaftmodel shaftdata dutystart ' +
    'debugtrace balanced xrdp usefuel fuelkwh %fuel %reserve refuel dynamiceq dynout spectrum basefreq enabled like',
  gendispatcher: 'element terminal kwlimit kwband kvarlimit genlist weights basefreq enabled like',
  storage:
    'phases bus1 kv conn kw kvar pf kva %cutin %cutout effcurve varfollowinverter kvarmax kvarmaxabs wattpriority ' +
    'pfpriority %pminnovars %pminkvarmax kwrated %kwrated kwhrated kwhstored %stored %reserve state %discharge ' +
    '%charge %effcharge %effdischarge %idlingkw %idlingkvar %r %x model vminpu vmaxpu balanced limitcurrent yearly ' +
    'daily duty dispmode dischargetrigger chargetrigger timechargetrig class dynadll dynadata usermodel userdata ' +
    'debugtrace kvdc kp pitol safevoltage safemode dynamiceq dynout controlmode amplimit amplimitgain spectrum ' +
    'basefreq enabled like',
  storagecontroller:
    'element terminal monphase kwtarget kwtargetlow %kwband kwband %kwbandlow kwbandlow elementlist weights ' +
    'modedischarge modecharge timedischargetrigger timechargetrigger %ratekw %ratecharge %reserve kwhtotal kwtotal ' +
    'kwhactual kwactual kwneed yearly daily duty eventlog inhibittime tup tflat tdn kwthreshold dispfactor ' +
    'resetlevel seasons seasontargets seasontargetslow basefreq enabled like',
  relay:
    'monitoredobj monitoredterm switchedobj switchedterm type phasecurve groundcurve phasetrip groundtrip tdphase ' +
    'tdground phaseinst groundinst reset shots recloseintervals delay overvoltcurve undervoltcurve kvbase 47%pickup ' +
    '46baseamps 46%pickup 46isqt variable overtrip undertrip breakertime action z1mag z1ang z0mag z0ang mphase ' +
    'mground eventlog debugtrace distreverse normal state doc_tiltanglelow doc_tiltanglehigh doc_tripsettinglow ' +
    'doc_tripsettinghigh doc_tripsettingmag doc_delayinner doc_phasecurveinner doc_phasetripinner doc_tdphaseinner ' +
    'doc_p1blocking basefreq enabled like',
  recloser:
    'monitoredobj monitoredterm switchedobj switchedterm numfast phasefast phasedelayed groundfast grounddelayed ' +
    'phasetrip groundtrip phaseinst groundinst reset shots recloseintervals delay action tdphfast tdgrfast ' +
    'tdphdelayed tdgrdelayed normal state basefreq enabled like',
  fuse:
    'monitoredobj monitoredterm switchedobj switchedterm fusecurve ratedcurrent delay action normal state basefreq ' +
    'enabled like',
  swtcontrol: 'switchedobj switchedterm action lock delay normal state reset basefreq enabled like',
  pvsystem:
    'phases bus1 kv irradiance pmpp %pmpp temperature pf conn kvar kva %cutin %cutout effcurve p-tcurve %r %x model ' +
    'vminpu vmaxpu balanced limitcurrent yearly daily duty tyearly tdaily tduty class usermodel userdata debugtrace ' +
    'varfollowinverter dutystart wattpriority pfpriority %pminnovars %pminkvarmax kvarmax kvarmaxabs kvdc kp pitol ' +
    'safevoltage safemode dynamiceq dynout controlmode amplimit amplimitgain spectrum basefreq enabled like',
  upfc:
    'bus1 bus2 refkv pf frequency phases xs tol1 mode vpqmax losscurve vhlimit vllimit climit refkv2 kvarlimit ' +
    'element spectrum basefreq enabled like',
  upfccontrol: 'upfclist basefreq enabled like',
  espvlcontrol:
    'element terminal type kwband kvarlimit localcontrollist localcontrolweights pvsystemlist pvsystemweights ' +
    'storagelist storageweights basefreq enabled like',
  indmach012:
    'phases bus1 kv kw pf conn kva h d purs puxs purr puxr puxm slip maxslip slipoption yearly daily duty ' +
    'debugtrace spectrum basefreq enabled like',
  gicsource: 'volts angle frequency phases en ee lat1 lon1 lat2 lon2 spectrum basefreq enabled like',
  autotrans:
    'phases windings wdg bus conn kv kva tap %r rdcohms core buses conns kvs kvas taps xhx xht xxt xscarray thermal ' +
    'n m flrise hsrise %loadloss %noloadloss normhkva emerghkva sub maxtap mintap numtaps subname %imag ' +
    'ppm_antifloat %rs bank xrconst leadlag wdgcurrents normamps emergamps faultrate pctperm repair basefreq ' +
    'enabled like',
  invcontrol:
    'derlist mode combimode vvc_curve1 hysteresis_offset voltage_curvex_ref avgwindowlen voltwatt_curve dbvmin ' +
    'dbvmax argralowv argrahiv dynreacavgwindowlen deltaq_factor voltagechangetolerance varchangetolerance ' +
    'voltwattyaxis rateofchangemode lpftau risefalllimit deltap_factor eventlog refreactivepower ' +
    'activepchangetolerance monvoltagecalc monbus monbusesvbase voltwattch_curve wattpf_curve wattvar_curve ' +
    'vv_refreactivepower pvsystemlist vsetpoint controlmodel basefreq enabled like',
  expcontrol:
    'pvsystemlist vreg slope vregtau qbias vregmin vregmax qmaxlead qmaxlag eventlog deltaq_factor preferq ' +
    'tresponse derlist basefreq enabled like',
  gicline: 'bus1 bus2 volts angle frequency phases r x c en ee lat1 lon1 lat2 lon2 spectrum basefreq enabled like',
  gictransformer:
    'bush busnh busx busnx phases type r1 r2 kvll1 kvll2 mva varcurve %r1 %r2 k normamps emergamps faultrate ' +
    'pctperm repair basefreq enabled like',
  vsconverter:
    'phases bus1 kvac kvdc kw ndc rac xac m0 d0 mmin mmax iacmax idcmax vacref pacref qacref vdcref vscmode ' +
    'spectrum basefreq enabled like',
  monitor: 'element terminal mode action residual vipolar ppolar basefreq enabled like',
  energymeter:
    'element terminal action option kvanormal kvaemerg peakcurrent zonelist localonly mask losses linelosses ' +
    'xfmrlosses seqlosses 3phaselosses vbaselosses phasevoltagereport int_rate int_duration saifi saifikw saidi ' +
    'caidi custinterrupts basefreq enabled like',
  sensor:
    'element terminal kvbase clear kvs currents kws kvars conn deltadirection %error weight basefreq enabled like',
};

/** Classes of other versions that mean the same as one of today. */
export const CLASS_SYNONYMS: Readonly<Record<string, string>> = {
  expcontrol2: 'expcontrol',
  invcontrol2: 'invcontrol',
  pvsystem2: 'pvsystem',
  storage2: 'storage',
  storagecontroller2: 'storagecontroller',
};
