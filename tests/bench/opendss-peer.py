"""Times OpenDSS (package dss-python) on one job and writes times and results as JSON.

Usage: opendss-peer.py JOB.json RESULT.json
The job has a `kind`:
  steps: compile the script, then chunks of time steps in yearly mode; seconds a step of each chunk, by the clock and of the processor
  cold:  compile and solve the script several times; seconds each
  solve: compile, solve once at the tolerance
"""

import json
import sys
import time

import dss

ENGINE = dss.DSS
ENGINE.AllowForms = False


def command(line: str) -> None:
    ENGINE.Text.Command = line


def state() -> dict:
    circuit = ENGINE.ActiveCircuit
    taps = {}
    controls = circuit.RegControls
    for name in controls.AllNames if controls.Count else []:
        controls.Name = name
        taps[name] = controls.TapNumber
    return {
        "converged": bool(circuit.Solution.Converged),
        "iterations": int(circuit.Solution.Iterations),
        "nodes": list(circuit.AllNodeNames),
        "volts": [float(v) for v in circuit.AllBusVolts],
        "taps": taps,
    }


def steps(job: dict) -> dict:
    command(f'compile "{job["script"]}"')
    command(f'set tolerance={job["tolerancePu"]}')
    command(f'set controlmode={"static" if job["controls"] else "off"}')
    command(f'set mode=yearly stepsize={job["stepSeconds"]}s number={job["chunk"]}')
    seconds = []
    cpu = []
    for chunk in range(job["warmUp"] + job["chunks"]):
        start, busy = time.perf_counter(), time.process_time()
        command("solve")
        took = (time.perf_counter() - start) / job["chunk"]
        if chunk >= job["warmUp"]:
            seconds.append(took)
            cpu.append((time.process_time() - busy) / job["chunk"])
    return {"seconds": seconds, "cpu": cpu, **state()}


def cold(job: dict) -> dict:
    seconds = []
    cpu = []
    for sample in range(job["warmUp"] + job["samples"]):
        command("clearall")
        start, busy = time.perf_counter(), time.process_time()
        command(f'compile "{job["script"]}"')
        command("solve")
        took = time.perf_counter() - start
        if sample >= job["warmUp"]:
            seconds.append(took)
            cpu.append(time.process_time() - busy)
    return {"seconds": seconds, "cpu": cpu, **state()}


def solve(job: dict) -> dict:
    command(f'compile "{job["script"]}"')
    command(f'set tolerance={job["tolerancePu"]}')
    command(f'set controlmode={"static" if job["controls"] else "off"}')
    start = time.perf_counter()
    command("solve")
    seconds = [time.perf_counter() - start]
    command("solve")
    return {"seconds": seconds, **state()}


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    result = {"steps": steps, "cold": cold, "solve": solve}[job["kind"]](job)
    result["version"] = "OpenDSS " + ENGINE.Version.split(" revision")[0].replace("DSS C-API Library version ", "C-API ")
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(result, file)


main()
