"""Times power-grid-model on a batch of load scenarios and writes times and results as JSON.

Usage: power-grid-model-peer.py JOB.json RESULT.json
The job holds the rows of the radial grid, the numbers of its source and station transformers, and for each scenario and load
one multiplier.
"""

import json
import math
import sys
import time
from importlib.metadata import version

import numpy as np
from power_grid_model import (
    CalculationMethod,
    LoadGenType,
    PowerGridModel,
    initialize_array,
)


def model_of(job: dict) -> tuple:
    grid = job["grid"]
    count = len(grid["busV"])
    node = initialize_array("input", "node", count)
    node["id"] = range(count)
    node["u_rated"] = grid["busV"]
    place = count
    rows = grid["lines"]
    line = initialize_array("input", "line", len(rows))
    line["id"] = range(place, place + len(rows))
    place += len(rows)
    line["from_node"] = [row["from"] for row in rows]
    line["to_node"] = [row["to"] for row in rows]
    line["from_status"] = 1
    line["to_status"] = 1
    for key in ("r1", "x1", "c1", "r0", "x0", "c0"):
        line[key] = [row[key] for row in rows]
    line["tan1"] = 0.0
    line["tan0"] = 0.0
    line["i_n"] = 1000.0
    station = job["station"]
    units = grid["transformers"]
    transformer = initialize_array("input", "transformer", len(units))
    transformer["id"] = range(place, place + len(units))
    place += len(units)
    transformer["from_node"] = [row["from"] for row in units]
    transformer["to_node"] = [row["to"] for row in units]
    transformer["from_status"] = 1
    transformer["to_status"] = 1
    transformer["u1"] = job["highV"]
    transformer["u2"] = job["lowV"]
    transformer["sn"] = station["ratedVA"]
    transformer["uk"] = station["uk"]
    transformer["pk"] = station["copperLossW"]
    transformer["i0"] = 0.0
    transformer["p0"] = 0.0
    transformer["winding_from"] = 2  # delta
    transformer["winding_to"] = 1  # wye, grounded
    transformer["clock"] = 1
    transformer["tap_side"] = 0
    transformer["tap_pos"] = 0
    transformer["tap_min"] = 0
    transformer["tap_max"] = 0
    transformer["tap_nom"] = 0
    transformer["tap_size"] = 0.0
    given = job["source"]
    source = initialize_array("input", "source", 1)
    source["id"] = place
    place += 1
    source["node"] = 0
    source["status"] = 1
    source["u_ref"] = given["pu"]
    source["sk"] = given["shortCircuitVA"]
    source["rx_ratio"] = given["rx"]
    source["z01_ratio"] = given["z01"]
    loads = grid["loads"]
    load = initialize_array("input", "asym_load", len(loads))
    load["id"] = range(place, place + len(loads))
    load["node"] = [row["bus"] for row in loads]
    load["status"] = 1
    load["type"] = LoadGenType.const_power
    load["p_specified"] = [row["p"] for row in loads]
    load["q_specified"] = [row["q"] for row in loads]
    data = {"node": node, "line": line, "transformer": transformer, "source": source, "asym_load": load}
    return PowerGridModel(data, system_frequency=50.0), load


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    model, load = model_of(job)
    multiplier = np.fromfile(job["multipliers"], dtype=np.float64).reshape(-1, len(load))
    update = initialize_array("update", "asym_load", multiplier.shape)
    update["id"] = load["id"]
    update["p_specified"] = load["p_specified"] * multiplier[:, :, None]
    update["q_specified"] = load["q_specified"] * multiplier[:, :, None]
    method = getattr(CalculationMethod, job["method"])
    seconds = []
    cpu = []
    output = None
    for sample in range(job["warmUp"] + job["samples"]):
        start, busy = time.perf_counter(), time.process_time()
        output = model.calculate_power_flow(
            symmetric=False,
            error_tolerance=job["tolerancePu"],
            max_iterations=200,
            calculation_method=method,
            update_data={"asym_load": update},
            output_component_types={"node": ["u"]},
            threading=-1,
        )
        took = (time.perf_counter() - start) / len(multiplier)
        if sample >= job["warmUp"]:
            seconds.append(took)
            cpu.append((time.process_time() - busy) / len(multiplier))
    last = output["node"]["u"][-1]
    result = {
        "version": f"power-grid-model {version('power-grid-model')}",
        "seconds": seconds,
        "cpu": cpu,
        "volts": [float(v) for row in last for v in row],
        "finite": bool(math.isfinite(float(np.sum(output["node"]["u"])))),
    }
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(result, file)


main()
