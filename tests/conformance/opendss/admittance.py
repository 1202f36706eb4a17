"""OpenDSS' own exports, made with the steps of GridAPPS-D's YBus Export and Vnom Export.

usage: admittance.py [--taps] MASTER...  > one JSON line per master, null where OpenDSS has no answer
Masters are compiled in a copy of their folder: OpenDSS writes its exports beside the file it compiles.
"""
import json, os, shutil, sys, tempfile
import dss

DSS = dss.DSS
KEEPS_TAPS = "--taps" in sys.argv
DSS.AllowForms = False
DISABLED = ("regcontrol", "capcontrol", "invcontrol", "isource", "load", "generator", "pvsystem", "storage")


def run(line):
    DSS.Text.Command = line
    return DSS.Text.Result


def compiled(master):
    run("clear")
    run(f'compile "{master}"')
    run("set maxiterations=100")
    if not KEEPS_TAPS:
        run("batchedit transformer..* wdg=2 tap=1")
    for kind in DISABLED:
        run(f"batchedit {kind}..* enabled=false")


def lines(command):
    with open(run(command)) as file:
        return [line.strip() for line in file if line.strip()]


def answer(master):
    compiled(master)
    run("batchedit vsource..* enabled=false")
    run("set controlmode=off")
    run("solve")
    y, nodes = lines("export y triplet"), lines("export ynodelist")
    compiled(master)
    run("batchedit vsource..* enabled=true pu=1.0")
    run("batchedit capacitor..* enabled=false")
    run("set controlmode=off")
    run("solve")
    return {"yParse": y, "nodeList": nodes, "vnom": lines("export voltages")}


for master in [name for name in sys.argv[1:] if name != "--taps"]:
    scratch = tempfile.mkdtemp(prefix="dec-admittance-")
    try:
        folder = os.path.join(scratch, "copy")
        # A master may name files of the folder above.
        shutil.copytree(os.path.dirname(os.path.dirname(master)), folder)
        copy = os.path.join(folder, os.path.basename(os.path.dirname(master)), os.path.basename(master))
        print(json.dumps(answer(copy)), flush=True)
    except Exception as error:
        print(f"{master}: {error}", file=sys.stderr)
        print("null", flush=True)
    finally:
        os.chdir("/")
        shutil.rmtree(scratch, ignore_errors=True)
