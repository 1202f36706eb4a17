"""OpenDSS' answers to small scripts and to whole masters, for the tests beside this file and for tests/unit/dss/circuit.

usage: answers.py scripts   < JSON list of scripts   > JSON list of answers
       answers.py apart     < JSON list of scripts   > JSON list of answers, null where OpenDSS has none
       answers.py currents  < JSON list of masters   > JSON list of answers
An answer to a script has the admittance of each element between its own nodes (ground left out, conductors at one node
summed), the power of each load and generator, and the node voltages. Needs the package dss-python (pip install dss-python).
Masters are compiled in a copy of their folder: OpenDSS writes its exports beside the file it compiles.
"""
import json, os, shutil, sys, tempfile
import dss

DSS = dss.DSS
DSS.AllowForms = False
DIGITS = 10
DEVICES = ("load", "generator", "pvsystem", "storage", "indmach012", "vccs")
CONTROLS = ("fuse", "recloser", "relay", "swtcontrol", "monitor", "energymeter", "regcontrol", "capcontrol", "invcontrol", "expcontrol")


def run(line):
    DSS.Text.Command = line


def fresh():
    """Forgets what outlives a circuit: base frequency, earth model, the model of the last geometry."""
    for line in (
        "clear", "set defaultbasefrequency=60", "new circuit.reset", "set earthmodel=deri",
        "new wiredata.w rac=.3 gmrac=.02", "new linegeometry.g nconds=1 nphases=1 cond=1 wire=w x=0 h=28",
        "new line.l phases=1 bus1=sourcebus bus2=b geometry=g", "solve", "clear",
    ):
        run(line)


def rounded(value):
    return float(f"{value:.{DIGITS}g}") + 0.0


def admittance(element, name):
    flat = [float(x) for x in element.Yprim]
    order = [int(n) for n in element.NodeOrder]
    count = element.NumConductors
    buses = [b.split(".")[0].upper() for b in element.BusNames]

    def bus(k):
        # an autotransformer's series winding ends at the bus of the common one
        if name.startswith("autotrans.") and count // 2 <= k < count:
            return buses[1]
        return buses[k // count]

    nodes = [f"{bus(k)}.{n}" for k, n in enumerate(order)]
    own = sorted({n for n in nodes if not n.endswith(".0")})
    cells = {}
    for i, a in enumerate(nodes):
        for j, b in enumerate(nodes):
            if a in own and b in own and own.index(a) <= own.index(b):
                re, im = cells.get((a, b), (0.0, 0.0))
                k = 2 * (j * len(nodes) + i)
                cells[a, b] = (re + flat[k], im + flat[k + 1])
    return {f"{a} {b}": [rounded(re), rounded(im)] for (a, b), (re, im) in cells.items() if (re, im) != (0.0, 0.0)}


def answer(script):
    fresh()
    errors = []
    for line in script + ["set tolerance=1e-9", "set maxiterations=200", "solve"]:
        try:
            run(line)
        except Exception as error:  # the engine's own message is the answer
            errors.append(str(error).splitlines()[0][:120])
    circuit = DSS.ActiveCircuit
    if not circuit.Solution.Converged:
        errors.append("not converged")
    elements, powers, volts = {}, {}, {}
    for name in circuit.AllElementNames:
        circuit.SetActiveElement(name)
        element = circuit.ActiveCktElement
        kind = name.lower().split(".")[0]
        if not element.Enabled or kind in CONTROLS:
            continue
        if kind in DEVICES:
            own = [float(x) for x in element.Powers]
            powers[name.lower()] = [rounded(sum(own[0::2])), rounded(sum(own[1::2]))]
        elif kind != "vsource" or not any(line.startswith("new circuit.c basekv=12.47") and len(line) == 26 for line in script):
            elements[name.lower()] = admittance(element, name.lower())
    flat = [float(x) for x in circuit.AllBusVolts]
    for k, name in enumerate(circuit.AllNodeNames):
        volts[name.upper()] = [rounded(flat[2 * k]), rounded(flat[2 * k + 1])]
    return {"errors": errors, "elements": elements, "powers": powers, "volts": volts}


def apart(script):
    """The answer of a process of its own: at some scripts OpenDSS crashes. None where it has."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with os.fdopen(writing, "w") as pipe:
                json.dump(answer(script), pipe, allow_nan=False)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    try:
        return json.loads(text)
    except ValueError:
        return None


def currents(master):
    with tempfile.TemporaryDirectory() as place:
        top = os.path.join(place, "dss")
        root = master["root"]
        shutil.copytree(root, top)
        fresh()
        run(f'compile "{os.path.join(top, os.path.relpath(master["file"], root))}"')
        for line in ("set mode=snap", "solve", "set controlmode=off", "set tolerance=1e-10", "set maxiterations=300", "solve"):
            run(line)
        os.chdir("/")
        circuit = DSS.ActiveCircuit
        found = {}
        for name in circuit.AllElementNames:
            kind = name.lower().split(".")[0]
            circuit.SetActiveElement(name)
            element = circuit.ActiveCktElement
            if kind not in ("line", "transformer") or not element.Enabled:
                continue
            flat = [float(x) for x in element.Currents]
            found[name.lower()] = {
                "nodes": [int(n) for n in element.NodeOrder],
                "conductors": element.NumConductors,
                "amps": [[rounded(flat[2 * k]), rounded(flat[2 * k + 1])] for k in range(len(flat) // 2)],
            }
        taps = {}
        controls = circuit.RegControls
        for name in controls.AllNames if controls.Count else []:
            controls.Name = name
            taps[name.lower()] = controls.TapNumber
        banks = {}
        for name in circuit.Capacitors.AllNames if circuit.Capacitors.Count else []:
            circuit.Capacitors.Name = name
            banks[name.lower()] = [int(s) for s in circuit.Capacitors.States]
        return {"branches": found, "taps": taps, "capacitors": banks}


tasks = {"scripts": answer, "apart": apart, "currents": currents}
json.dump([tasks[sys.argv[1]](item) for item in json.load(sys.stdin)], sys.stdout)
