"""Compiles an OpenDSS script and prints its solution as JSON.

Usage: solve.py SCRIPT [COMMAND...] [-- SCRIPT [COMMAND...]]...
The commands run after the script. Of several tasks each has a process of its own and a line of the output, `null` where
OpenDSS has no answer. Needs the package dss-python.
"""

import json
import os
import sys

import dss


def solution(script: str, commands: list) -> dict:
    engine = dss.DSS
    engine.AllowForms = False
    text = engine.Text
    text.Command = f'compile "{script}"'
    for command in commands:
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
    return {
        "converged": bool(circuit.Solution.Converged),
        "iterations": int(circuit.Solution.Iterations),
        "nodes": list(circuit.AllNodeNames),
        "volts": [float(v) for v in volts],
        "kvBase": {name: circuit.Buses(name).kVBase for name in circuit.AllBusNames},
        "taps": taps,
        "sections": sections,
        "losses": [float(v) for v in circuit.Losses],
    }


def apart(task: list) -> str:
    """The answer of a process of its own: nothing of one script is left for the next, and OpenDSS may crash."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with os.fdopen(writing, "w") as pipe:
                json.dump(solution(task[0], task[1:]), pipe, allow_nan=False)
        except Exception as error:
            print(f"{task[0]}: {error}", file=sys.stderr)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    try:
        json.loads(answer)
    except ValueError:
        return "null"
    return answer


def main() -> None:
    tasks = [[]]
    for word in sys.argv[1:]:
        if word == "--":
            tasks.append([])
        else:
            tasks[-1].append(word)
    for task in tasks:
        print(apart(task))


main()
