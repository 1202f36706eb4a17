"""Times OSQP on one quadratic programme, setup and solve together, and writes times and the point as JSON.

Usage: osqp-peer.py JOB.json RESULT.json
The job names a file with the programme: upper triangle of the Hessian and the rows by columns, bounds as rows of their own.
"""

import json
import sys
import time

import numpy as np
import osqp
from scipy import sparse


def matrix(data: dict) -> sparse.csc_matrix:
    return sparse.csc_matrix((data["values"], data["rowIdx"], data["colPtr"]), shape=(data["rows"], data["cols"]))


def bound(values: list, infinite: float) -> np.ndarray:
    return np.array([infinite if v is None else v for v in values])


def solve(data: dict, job: dict):
    rows = matrix(data["equality"])
    count = rows.shape[1]
    full = sparse.vstack([rows, sparse.identity(count, format="csc")], format="csc")
    values = np.array(data["equalityValue"])
    low = np.concatenate([values, bound(data["lower"], -np.inf)])
    high = np.concatenate([values, bound(data["upper"], np.inf)])
    hessian = matrix(data["hessian"])
    linear = np.array(data["linear"])
    start, busy = time.perf_counter(), time.process_time()
    solver = osqp.OSQP()
    solver.setup(
        hessian,
        linear,
        full,
        low,
        high,
        eps_abs=job["tolerance"],
        eps_rel=job["tolerance"],
        max_iter=job["mostIterations"],
        verbose=False,
    )
    result = solver.solve()
    return result, rows.shape[0], time.perf_counter() - start, time.process_time() - busy


def main() -> None:
    with open(sys.argv[1]) as file:
        job = json.load(file)
    with open(job["programme"]) as file:
        data = json.load(file)
    seconds, cpu = [], []
    for _ in range(job["samples"]):
        result, row_count, took, busy = solve(data, job)
        seconds.append(took)
        cpu.append(busy)
    answer = {
        "version": f"OSQP {osqp.__version__}",
        "seconds": seconds,
        "cpu": cpu,
        "status": result.info.status,
        "iterations": int(result.info.iter),
        # OSQP counts multipliers with the other sign.
        "x": [float(v) for v in result.x],
        "y": [-float(v) for v in result.y[:row_count]],
    }
    with open(sys.argv[2], "w") as file:
        json.dump(answer, file)


main()
