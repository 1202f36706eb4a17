"""Compiles an OpenDSS script and prints its solution as JSON.

Usage: solve.py SCRIPT [COMMAND...]
The commands run after the script. Needs the package dss-python.
"""

import json
import sys

import dss


def main() -> None:
    engine = dss.DSS
    engine.AllowForms = False
    text = engine.Text
    text.Command = f'compile "{sys.argv[1]}"'
    for command in sys.argv[2:]:
        text.Command = command
    circuit = engine.ActiveCircuit
    volts = circuit.AllBusVolts
    taps = {}
    controls = circuit.RegControls
    for name in controls.AllNames if controls.Count else []:
        controls.Name = name
        taps[name] = controls.TapNumber
    sections = {}
    banks = circuit.Capacitors
    for name in banks.AllNames if banks.Count else []:
        banks.Name = name
        sections[name] = [int(s) for s in banks.States]
    print(
        json.dumps(
            {
                "converged": bool(circuit.Solution.Converged),
                "iterations": int(circuit.Solution.Iterations),
                "nodes": list(circuit.AllNodeNames),
                "volts": [float(v) for v in volts],
                "kvBase": {
                    name: circuit.Buses(name).kVBase for name in circuit.AllBusNames
                },
                "taps": taps,
                "sections": sections,
                "losses": [float(v) for v in circuit.Losses],
            }
        )
    )


main()
