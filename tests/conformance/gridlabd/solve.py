"""Solves the GridLAB-D model of a path in a folder; prints node voltages and errors as the last line of standard output, in JSON."""

import csv
import json
import os
import sys

import gridlabd

with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
folder = sys.argv[2]
os.chdir(folder)
with open("model.glm", "w", encoding="utf-8") as file:
    file.write(text + "object voltdump { filename volts.csv; mode RECT; }\n")
solver = gridlabd.DirectGridLabD()
codes = [solver.setup_before_load(), solver.load_glm(["model.glm"]), solver.setup_after_load(), solver.run()]
nodes = {}
if os.path.exists("volts.csv"):
    with open("volts.csv", encoding="utf-8") as file:
        for row in csv.reader(line for line in file if not line.startswith("#")):
            if row[0] != "node_name":
                nodes[row[0]] = [float(value) for value in row[1:]]
# the module registers its globals twice
errors = [
    f"{message['type']} {message['message']}"
    for message in solver.get_messages()
    if "global variable" not in message["message"] and "solver_KLU" not in message["message"]
]
print("\n" + json.dumps({"codes": [code.name for code in codes], "nodes": nodes, "messages": errors}), flush=True)
