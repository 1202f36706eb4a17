"""OpenDSS' voltages, taps and sections in every step of a time series.

usage: steps.py < JSON {"lines": [...], "steps": n} > JSON {"nodes", "base", "volts", "taps", "sections"}
The lines make the circuit, solve a snapshot where wanted, and set mode and step; each step is then solved by itself to 1e-9.
Needs the package dss-python (pip install dss-python).
"""
import json, sys
import dss

DSS = dss.DSS
DSS.AllowForms = False
task = json.load(sys.stdin)
for line in ["clear", *task["lines"], "set number=1 hour=0 sec=0 tolerance=1e-9 maxiterations=300"]:
    DSS.Text.Command = line
circuit = DSS.ActiveCircuit
nodes = list(circuit.AllNodeNames)
base = {}
for name in {node.split(".")[0] for node in nodes}:
    circuit.SetActiveBus(name)
    base[name] = circuit.ActiveBus.kVBase * 1000
answer = {"nodes": nodes, "base": [base[node.split(".")[0]] for node in nodes], "volts": [], "taps": [], "sections": []}
for _ in range(task["steps"]):
    circuit.Solution.Solve()
    answer["volts"].append([float(v) for v in circuit.AllBusVmag])
    taps = {}
    regulators = circuit.RegControls
    more = regulators.First
    while more:
        taps[regulators.Name.lower()] = int(regulators.TapNumber)
        more = regulators.Next
    answer["taps"].append(taps)
    sections = {}
    banks = circuit.Capacitors
    more = banks.First
    while more:
        sections[banks.Name.lower()] = int(sum(s for s in banks.States if s > 0))
        more = banks.Next
    answer["sections"].append(sections)
json.dump(answer, sys.stdout)
