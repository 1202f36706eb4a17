"""Drives a platform with the unmodified packages gridappsd-python and gridappsd-field-bus.

Usage: gridappsd_client.py SECTION JSON, where JSON has port, model, and what the section needs. Each finding is one line
of JSON on standard output, {"item": name, "value": ...}; an exception is {"item": "exception", "value": text}.
"""

import json
import logging
import os
import subprocess
import sys
import threading
import time
import traceback

FACTS = json.loads(sys.argv[2])
os.environ.update(
    GRIDAPPSD_USER="system",
    GRIDAPPSD_PASSWORD="manager",
    GRIDAPPSD_ADDRESS="127.0.0.1",
    GRIDAPPSD_PORT=str(FACTS["port"]),
    GRIDAPPSD_APPLICATION_ID="conformance",
)
# The field-bus package writes a log file into the current folder.
os.chdir(FACTS["folder"])

import gridappsd.topics as t  # noqa: E402
from gridappsd import ApplicationController, DifferenceBuilder, GridAPPSD  # noqa: E402
from gridappsd.goss import TimeoutError as GossTimeout  # noqa: E402
from gridappsd.simulation import (  # noqa: E402
    PowerSystemConfig,
    Simulation,
    SimulationArgs,
    SimulationConfig,
)

logging.disable(logging.CRITICAL)
MODEL = FACTS["model"]
CONFIG = "goss.gridappsd.process.request.config"
# Seconds for whatever must come: a machine under load takes many times as long as one at rest, and nothing here is a race.
PATIENCE = 120


def say(item, value):
    print(json.dumps({"item": item, "value": value}), flush=True)


def until(holds, seconds=PATIENCE):
    """Waits until something holds; whether it did."""
    end = time.time() + seconds
    while time.time() < end:
        if holds():
            return True
        time.sleep(0.02)
    return bool(holds())


def patiently(ask):
    """What is answered to a call of the packages whose own limit is 5 s, asked again where that was too short."""
    end = time.time() + PATIENCE
    while True:
        try:
            return ask()
        except GossTimeout:
            if time.time() > end:
                raise


def login():
    g = GridAPPSD()
    say("connected with a token", g.connected)
    direct = GridAPPSD(use_auth_token=False)
    say("connected with a password", direct.connected)
    code = (
        "from gridappsd import GridAPPSD\n"
        "try:\n  g = GridAPPSD(use_auth_token=False)\n  print('connected', g.connected)\n"
        "except Exception as e:\n  print('refused', type(e).__name__)\n"
    )
    env = {**os.environ, "GRIDAPPSD_PASSWORD": "wrong"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=PATIENCE)
    say("wrong password", (done.stdout.strip().splitlines() or [done.stderr[-200:]])[-1])
    direct.disconnect()
    g.disconnect()


def queries():
    g = GridAPPSD()
    say("model names", g.query_model_names()["data"]["modelNames"])
    say("model info", g.query_model_info()["data"]["models"])
    say("object types", g.query_object_types(MODEL)["data"]["objectTypes"])
    say("object", g.query_object(FACTS["switch"], MODEL)["data"])
    say("dictionary", g.query_object_dictionary(MODEL, "LinearShuntCompensator")["data"])
    say("one object", g.query_object_dictionary(MODEL, object_id=FACTS["switch"])["data"])
    consumers = g.query_model(MODEL, "http://iec.ch/TC57/CIM100#EnergyConsumer")["data"]
    say("consumers", len(consumers))
    say(
        "SPARQL",
        g.query_data("SELECT ?n WHERE {?s r:type c:Feeder. ?s c:IdentifiedObject.name ?n}")["data"]["results"]["bindings"],
    )
    say(
        "nested bind",
        g.query_data(
            "SELECT DISTINCT ?kind WHERE {?s r:type c:LinearShuntCompensator; c:ShuntCompensator.phaseConnection ?raw. "
            '{bind(strafter(str(?raw),"PhaseShuntConnectionKind.") as ?kind)}} ORDER BY ?kind'
        )["data"]["results"]["bindings"],
    )
    say("houses", g.get_houses().get_houses_for_feeder(MODEL))
    ids = g.get_response(
        t.REQUEST_POWERGRID_DATA,
        {"requestType": "QUERY_OBJECT_IDS", "modelId": MODEL, "objectType": "LoadBreakSwitch", "resultFormat": "JSON"},
        timeout=PATIENCE,
    )
    say("object ids", ids["data"]["objectIds"])
    counts = []
    bare = MODEL.lstrip("_")
    for spelling in [bare, "_" + bare, bare.lower(), "urn:uuid:" + bare]:
        reply = g.get_response(
            t.REQUEST_POWERGRID_DATA,
            {
                "requestType": "QUERY_OBJECT_MEASUREMENTS",
                "modelId": spelling,
                "objectType": "LoadBreakSwitch",
                "resultFormat": "JSON",
            },
            timeout=PATIENCE,
        )
        counts.append([point["measid"] for point in reply["data"]])
    say("switch measurements by spelling", counts)
    csv = g.get_response(
        t.REQUEST_POWERGRID_DATA,
        {
            "requestType": "QUERY",
            "queryString": "SELECT ?n {?s r:type c:Feeder; c:IdentifiedObject.name ?n}",
            "resultFormat": "CSV",
        },
        timeout=PATIENCE,
    )
    say("CSV", csv)
    g.disconnect()


def config():
    g = GridAPPSD()

    def ask(kind, **more):
        return g.get_response(
            CONFIG,
            {"configurationType": kind, "resultFormat": "JSON", "parameters": {"model_id": MODEL, **more}},
            timeout=PATIENCE,
        )

    dictionary = ask("CIM Dictionary")["data"]["feeders"][0]
    say("dictionary keys", sorted(dictionary))
    say("dictionary counts", {key: len(value) for key, value in dictionary.items() if isinstance(value, list)})
    say("measurement keys", sorted(dictionary["measurements"][0]))
    say("null SimObjects", sum(1 for entry in dictionary["measurements"] if not entry["SimObject"]))
    say("feeder index", ask("CIM Feeder Index")["data"]["feeders"])
    # As the ancestor and the toolbox read them.
    ybus = ask("YBus Export")["data"]
    rows = [line.split(",") for line in ybus["yParse"] if line.split(",")[0] != "Row"]
    nodes = [node.strip('"') for node in ybus["nodeList"]]
    say("ybus", {"nodes": len(nodes), "entries": len(rows), "first": nodes[0], "lower": all(int(r[0]) >= int(r[1]) for r in rows)})
    say("ybus summary", [len(line.split(",")) for line in ybus["summary"]])
    vnom = [line.split(",") for line in ask("Vnom Export")["data"]["vnom"]]
    say("vnom", {"head": vnom[0][0], "rows": len(vnom) - 1, "columns": sorted({len(row) for row in vnom[1:]})})
    say("vnom nodes", sum(1 for row in vnom[1:] for at in range(2, len(row), 4) if int(row[at]) != 0))
    limits = ask("GridLAB-D Limits")["data"]["limits"]
    say("limits", {key: [len(limits[key]), sorted(limits[key][0])] for key in ("voltages", "currents")})
    symbols = ask("GridLAB-D Symbols")["data"]["feeders"][0]
    say("symbols", sorted(symbols))
    say("dss base", ask("DSS Base")["data"][:200])
    say("dss coordinate", ask("DSS Coordinate")["data"].splitlines()[0].count(","))
    outputs = ask("GridLAB-D Simulation Output")["data"]
    say("simulation output", outputs["globals"])
    say("GLM", ask("GridLAB-D All"))
    static = g.get_response(
        "goss.gridappsd.request.data.static-ybus", {"requestType": "GET_SNAPSHOT_YBUS", "feeder_id": MODEL}, timeout=PATIENCE
    )
    say("static ybus", [static["feeder_id"] == MODEL, len(static["ybus"])])
    areas = g.get_response(
        "goss.gridappsd.request.data.topology", {"requestType": "GET_SWITCH_AREAS", "modelID": MODEL}, timeout=PATIENCE
    )["feeders"]
    say("switch areas", [areas["feeder_id"] == MODEL, len(areas["switch_areas"]) > 1])

    begun = time.time()
    say("unknown configuration", ask("Weather"))
    reply = g.get_response(t.REQUEST_POWERGRID_DATA, {"requestType": "DANCE", "resultFormat": "JSON"}, timeout=PATIENCE)
    say("unknown request", reply)
    heard = []
    g.subscribe("/temp-queue/raw.answer", lambda header, message: heard.append(message))
    g._conn.send(t.REQUEST_POWERGRID_DATA, "{no json", headers={"reply-to": "/temp-queue/raw.answer"})
    until(lambda: heard)
    say("malformed", heard)
    say("seconds for three errors", time.time() - begun)
    say("status", sorted(g.get_platform_status()))
    say("field model", g.get_response(t.REQUEST_PLATFORM_STATUS, {"isField": True}, timeout=PATIENCE)["fieldModelMrid"])
    g.disconnect()


def new_form(duration, realtime=False, **more):
    return SimulationConfig(
        power_system_configs=[PowerSystemConfig(Line_name=MODEL)],
        simulation_config=SimulationArgs(start_time=1655321830, duration=duration, run_realtime=realtime, **more),
    )


def simulation():
    g = GridAPPSD()
    ids = {
        point["measid"]
        for point in g.get_response(
            t.REQUEST_POWERGRID_DATA,
            {"requestType": "QUERY_OBJECT_MEASUREMENTS", "modelId": MODEL, "resultFormat": "JSON"},
            timeout=PATIENCE,
        )["data"]
    }
    legacy = {
        "power_system_config": {"GeographicalRegion_name": "", "SubGeographicalRegion_name": "", "Line_name": MODEL},
        "application_config": {"applications": []},
        "simulation_config": {
            "start_time": "1655321830",
            "duration": "120",
            "simulator": "GridLAB-D",
            "timestep_frequency": "1000",
            "timestep_increment": "1000",
            "run_realtime": False,
            "simulation_name": "legacy",
            "power_flow_solver_method": "NR",
            "model_creation_config": {
                "load_scaling_factor": "1",
                "schedule_name": "ieeezipload",
                "z_fraction": "0",
                "i_fraction": "1",
                "p_fraction": "0",
                "randomize_zipload_fractions": False,
                "use_houses": False,
            },
        },
    }
    originals = {}
    for name, request in (("legacy", legacy), ("new", new_form(120))):
        seen = {"start": 0, "steps": [], "outputs": [], "complete": 0, "unknown": 0, "values": 0}
        sim = Simulation(g, request)
        sim.add_onstart_callback(lambda s: seen.update(start=seen["start"] + 1))
        sim.add_ontimestep_callback(lambda s, step: seen["steps"].append(step))

        def measured(s, timestamp, measurements):
            seen["outputs"].append(timestamp)
            originals[timestamp] = measurements
            seen["unknown"] += sum(1 for mrid in measurements if mrid not in ids)
            seen["values"] = len(measurements)

        sim.add_onmeasurement_callback(measured)
        sim.add_oncomplete_callback(lambda s: seen.update(complete=seen["complete"] + 1))
        sim.run_loop()
        until(lambda: len(seen["outputs"]) >= 3)
        seen["steps"] = [len(seen["steps"]), seen["steps"][:1], seen["steps"][-1:]]
        say(name + " simulation", seen)
    # The same again from what is stored, with the package's own class.
    replayed = {"steps": 0, "outputs": [], "complete": 0}
    # The class wants a duration of every request.
    part = {"replay_of": sim.simulation_id, "duration": 120, "run_realtime": False}
    again = Simulation(g, {"simulation_config": part})
    again.add_ontimestep_callback(lambda s, step: replayed.update(steps=step))
    again.add_onmeasurement_callback(lambda s, timestamp, measurements: replayed["outputs"].append([timestamp, measurements]))
    again.add_oncomplete_callback(lambda s: replayed.update(complete=replayed["complete"] + 1))
    again.run_loop()
    until(lambda: len(replayed["outputs"]) >= 3)
    same = [[timestamp, measurements == originals[timestamp]] for timestamp, measurements in replayed["outputs"]]
    say("replay", [replayed["steps"], same, replayed["complete"]])
    # What a run left behind can be asked for.
    wanted = FACTS["switchPosition"]
    query = {
        "queryMeasurement": "simulation",
        "queryFilter": {"simulation_id": sim.simulation_id, "measurement_mrid": wanted},
        "responseFormat": "JSON",
    }
    say("time series", g.get_response(t.REQUEST_TIMESERIES_DATA, query, timeout=PATIENCE)["data"])
    from gridappsd.timeseries import Query

    built = Query("simulation")
    built.where_key("simulation_id").eq(sim.simulation_id)
    built.where_key("measurement_mrid").eq(wanted)
    built.where_key("time").between(1655321830, 1655321830 + 60)
    answer = patiently(lambda: built.execute(g))
    say("built time series", (json.loads(answer) if isinstance(answer, str) else answer)["data"])
    logs = g.get_response(
        "goss.gridappsd.process.request.data.log",
        {"processId": sim.simulation_id, "processStatus": "COMPLETE"},
        timeout=PATIENCE,
    )
    say("logs", [line["log_message"] for line in logs["data"]])
    g.disconnect()


def control():
    g = GridAPPSD()
    sim = Simulation(g, new_form(600, True))
    seen = {"steps": [], "outputs": 0, "latest": {}, "complete": False}

    def measured(s, timestamp, measurements):
        seen["outputs"] += 1
        seen["latest"] = measurements

    lines = []

    def heard(header, line):
        # The client calls every callback of a topic for every subscription to it.
        if line not in lines:
            lines.append(line)

    sim.add_onmeasurement_callback(measured)
    sim.add_ontimestep_callback(lambda s, step: seen["steps"].append(step))
    sim.add_oncomplete_callback(lambda s: seen.update(complete=True))
    sim.start_simulation(timeout=PATIENCE)
    g.subscribe(t.simulation_log_topic(sim.simulation_id), heard)
    until(lambda: seen["outputs"] >= 1)
    before = seen["latest"]
    say("closed at first", before[FACTS["switchPosition"]]["value"])
    say("energised at first", before[FACTS["behindSwitch"]]["magnitude"] > 100)

    difference = DifferenceBuilder(sim.simulation_id)
    difference.add_difference(FACTS["switch"], "Switch.open", 1, 0)
    difference.add_difference(FACTS["regulator"], "TapChanger.step", 5, 0)
    difference.add_difference(FACTS["capacitor"], "ShuntCompensator.sections", 0, 1)
    difference.add_difference(FACTS["unit"], "PowerElectronicsConnection.p", 0, 1000)
    difference.add_difference(FACTS["unit"], "PowerElectronicsConnection.dance", 0, 1000)
    difference.add_difference("_00000000-1111-2222-3333-444444444444", "Switch.open", 1, 0)
    g.send(t.simulation_input_topic(sim.simulation_id), difference.get_message())
    until(lambda: seen["latest"].get(FACTS["switchPosition"], {}).get("value") == 0)
    after = seen["latest"]
    say("open after", after[FACTS["switchPosition"]]["value"])
    say("dead behind the switch", after[FACTS["behindSwitch"]]["magnitude"])
    say("tap", after[FACTS["regulatorPosition"]]["value"])
    say("capacitor", after[FACTS["capacitorPosition"]]["value"])
    say("unit before and after", [before[FACTS["unitPower"]]["magnitude"], after[FACTS["unitPower"]]["magnitude"]])
    say("warnings", [line["logMessage"] for line in lines if line["logLevel"] == "WARN" and "Difference ignored" in line["logMessage"]])

    sim.pause()
    until(lambda: any("paused" in line["logMessage"] for line in lines))
    outputs, steps = seen["outputs"], len(seen["steps"])
    time.sleep(4)
    say("while paused", [seen["outputs"] - outputs, len(seen["steps"]) - steps])
    sim.resume()
    until(lambda: len(seen["steps"]) >= steps + 2)
    say("after resume", len(seen["steps"]) - steps)
    sim.pause()
    until(lambda: sum("has paused" in line["logMessage"] for line in lines) >= 2)
    at = seen["steps"][-1]
    sim.resume_pause_at(3)
    until(lambda: sum("has paused" in line["logMessage"] for line in lines) >= 3)
    say("resumePauseAt", seen["steps"][-1] - at)

    os.environ["GRIDAPPSD_SIMULATION_ID"] = ""
    g.set_simulation_id(sim.simulation_id)
    g.get_logger().info("a line of the application")
    until(lambda: any(line["logMessage"] == "a line of the application" for line in lines))
    say("own log line", [line["source"] for line in lines if line["logMessage"] == "a line of the application"])
    found = g.get_response("goss.gridappsd.process.request.data.log", {"processId": sim.simulation_id, "source": "conformance"}, timeout=PATIENCE)
    say("own log line stored", [line["log_message"] for line in found["data"]])

    # Another user cannot stop it; its owner can.
    code = (
        "import json,sys,time\nfrom gridappsd import GridAPPSD\nimport gridappsd.topics as t\n"
        "g=GridAPPSD(use_auth_token=False)\ng.send(t.simulation_input_topic(sys.argv[1]),json.dumps({'command':'stop'}))\n"
        "g.send(t.REQUEST_SIMULATION,json.dumps({'simulation_request_type':'STOP','simulation_id':sys.argv[1]}))\n"
        "time.sleep(1)\ng.disconnect()\n"
    )
    env = {**os.environ, "GRIDAPPSD_USER": "app_user", "GRIDAPPSD_PASSWORD": "1234App"}
    subprocess.run([sys.executable, "-c", code, str(sim.simulation_id)], env=env, timeout=PATIENCE, capture_output=True)
    time.sleep(1)
    say("stopped by another user", seen["complete"])
    sim.stop()
    until(lambda: seen["complete"])
    say("stopped by its owner", seen["complete"])
    g.disconnect()


def logs():
    g = GridAPPSD()
    one, two = [], []
    topic = "/topic/goss.conformance.talk"
    first = g.subscribe(topic, lambda header, message: one.append(message))
    g.subscribe(topic, lambda header, message: two.append(message))
    g.send(topic, {"n": 1})
    until(lambda: len(one) >= 2 and len(two) >= 2)
    say("two subscriptions", [len(one), len(two)])
    g.unsubscribe(first)
    g.send(topic, {"n": 2})
    until(lambda: len(one) >= 3 and len(two) >= 3)
    # A second copy would come at once.
    time.sleep(1)
    say("after unsubscribe", [len(one), len(two)])
    platform = []
    g.subscribe(t.platform_log_topic(), lambda header, line: platform.append(line))
    g.get_logger().info("to the platform")
    until(lambda: any(line["logMessage"] == "to the platform" for line in platform))
    say("platform log", [line["logMessage"] for line in platform if line["source"] == "conformance"])
    g.disconnect()


def applications():
    g = GridAPPSD()
    ended = threading.Event()
    marker = os.path.join(FACTS["folder"], "started.txt")
    app = ApplicationController(
        {
            "id": "conformance-app",
            "description": "an application",
            "creator": "tests",
            "inputs": [],
            "outputs": [],
            "options": [marker],
            "execution_path": "/usr/bin/touch",
            "type": "REMOTE",
            "launch_on_startup": False,
            "prereqs": [],
            "multiple_instances": True,
        },
        gridappsd=g,
    )
    sys.stdout.flush()
    app.register_app(ended.set)
    say("registered as", app.application_id)
    say("heart-beat runs", app.heartbeat_valid)
    status = g.get_platform_status()
    say("status lists it", [entry["id"] for entry in status["applications"]])
    listed = g.get_response("goss.gridappsd.process.request.list.apps", {}, timeout=PATIENCE)
    say("list of applications", [entry["id"] for entry in (json.loads(listed) if isinstance(listed, str) else listed)["applications"]])
    got = g.get_response("goss.gridappsd.process.request.app.get", {"id": "conformance-app"}, timeout=PATIENCE)
    say("one application", (json.loads(got) if isinstance(got, str) else got).get("execution_path"))
    started = g.get_response(t.REQUEST_APP_START, {"id": "conformance-app"}, timeout=PATIENCE)
    started = json.loads(started) if isinstance(started, str) else started
    until(lambda: os.path.exists(marker))
    say("started", [os.path.exists(marker), bool(started.get("instanceId"))])
    status = g.get_platform_status()
    say("instances", [entry["application_id"] for entry in status["appInstances"]])
    g.get_response("goss.gridappsd.process.request.app.stop", {"id": "conformance-app"}, timeout=PATIENCE)
    say("stop reached it", ended.wait(PATIENCE))
    g.get_response("goss.gridappsd.process.request.app.deregister", {"id": "conformance-app"}, timeout=PATIENCE)
    say("after deregistering", g.get_platform_status()["applications"])
    # Upstream's wheel names a command whose module it does not carry; the module that it has runs.
    cli = subprocess.run([os.path.join(os.path.dirname(sys.executable), "gridappsd-cli"), "--help"], capture_output=True, text=True, timeout=PATIENCE)
    say("gridappsd-cli", cli.returncode)
    run = os.path.join(FACTS["folder"], "run.yaml")
    with open(run, "w") as file:
        json.dump(new_form(3).asdict(), file)
    open(os.path.join(FACTS["folder"], ".env"), "w").close()
    module = subprocess.run([sys.executable, "-m", "gridappsd", "-s", run], capture_output=True, text=True, timeout=PATIENCE)
    say("python -m gridappsd", [module.returncode, module.stderr[-300:]])
    g.disconnect()


def agents_of(context, message_bus, count):
    """Names of the agents on a bus, when so many have registered; registrations are not answered."""
    found = []

    def are_there():
        found[:] = sorted(patiently(lambda: context.get_agents(message_bus)))
        return len(found) >= count

    until(are_there)
    return found


def field():
    os.environ["CIMG_CIM_PROFILE"] = "cimhub_2023"
    from gridappsd_field_bus.field_interface.agents import agents as field_agents
    from gridappsd_field_bus.field_interface.agents import FeederAgent, SecondaryAreaAgent, SwitchAreaAgent
    from gridappsd_field_bus.field_interface.context import LocalContext
    from gridappsd_field_bus.field_interface.interfaces import MessageBusDefinition

    logging.disable(logging.CRITICAL)
    g = GridAPPSD()
    sim = Simulation(g, new_form(600, True))
    sim.start_simulation(timeout=PATIENCE)

    def bus(mrid, is_ot=False):
        path = os.path.join(FACTS["folder"], mrid + ".yml")
        with open(path, "w") as file:
            json.dump(
                {
                    "connections": {
                        "id": mrid,
                        "is_ot_bus": is_ot,
                        "connection_type": "gridappsd_field_bus.field_interface.gridappsd_field_bus.GridAPPSDMessageBus",
                        "connection_args": {
                            "GRIDAPPSD_ADDRESS": "tcp://127.0.0.1:%d" % FACTS["port"],
                            "GRIDAPPSD_USER": "system",
                            "GRIDAPPSD_PASSWORD": "manager",
                        },
                    }
                },
                file,
            )
        return MessageBusDefinition.load(path)

    def agent_of(kind):
        class Agent(kind):
            def on_measurement(self, headers, message):
                self.__dict__.setdefault("seen", {}).update(message)

            def on_upstream_message(self, headers, message):
                self.__dict__.setdefault("from_up", []).append(message)

            def on_downstream_message(self, headers, message):
                self.__dict__.setdefault("from_down", []).append(message)

            def on_request(self, message_bus, headers, message):
                message_bus.send(headers["reply-to"], {"echo": message})

        return Agent

    system, feeder, switch, secondary = (bus(FACTS[name], name == "substation") for name in ("substation", "feederArea", "switchArea", "secondaryArea"))
    made = {
        "feeder": agent_of(FeederAgent)(system, feeder, {"app_id": "conformance", "description": "d"}, None, sim.simulation_id),
        "switch": agent_of(SwitchAreaAgent)(feeder, switch, {"app_id": "conformance", "description": "d"}, None, sim.simulation_id),
        "secondary": agent_of(SecondaryAreaAgent)(switch, secondary, {"app_id": "conformance", "description": "d"}, None, sim.simulation_id),
    }
    for name, agent in made.items():
        say(name + " context", [agent.agent_area_dict["@id"], agent.agent_area_dict["@type"], len(agent.agent_area_dict["Measurements"])])
    until(lambda: all(agent.__dict__.get("seen") for agent in made.values()))
    for name, agent in made.items():
        own = {entry["@id"].upper().lstrip("_") for entry in agent.agent_area_dict["Measurements"]}
        seen = {mrid.upper().lstrip("_") for mrid in agent.__dict__.get("seen", {})}
        say(name + " measurements", [len(seen), len(seen - own)])
    say("registered", agents_of(LocalContext, made["secondary"].downstream_message_bus, 1))
    say("registered upstream", agents_of(LocalContext, made["secondary"].upstream_message_bus, 2))
    initialized = made["secondary"].downstream_message_bus.get_response(
        t.context_request_queue(secondary.id), {"request_type": "is_initialized"}, timeout=PATIENCE
    )
    say("initialized", json.loads(initialized) if isinstance(initialized, str) else initialized)
    made["secondary"].publish_upstream({"hello": "up"})
    made["switch"].publish_downstream({"hello": "down"})
    until(lambda: any(m.get("hello") == "up" for m in made["switch"].__dict__.get("from_down", [])))
    until(lambda: any(m.get("hello") == "down" for m in made["secondary"].__dict__.get("from_up", [])))
    say("upward", any(m.get("hello") == "up" for m in made["switch"].__dict__.get("from_down", [])))
    say("downward", any(m.get("hello") == "down" for m in made["secondary"].__dict__.get("from_up", [])))
    say("not beyond", any(m.get("hello") == "up" for m in made["feeder"].__dict__.get("from_down", [])))
    echo = made["switch"].downstream_message_bus.get_response(
        t.field_agent_request_queue(secondary.id, made["secondary"].agent_id), {"question": 1}, timeout=PATIENCE
    )
    say("request between agents", json.loads(echo) if isinstance(echo, str) else echo)
    before = made["secondary"].seen[FACTS["areaPower"]]["magnitude"]
    difference = DifferenceBuilder(sim.simulation_id)
    difference.add_difference(FACTS["areaUnit"], "PowerElectronicsConnection.p", 0, 1)
    difference.add_difference(FACTS["areaUnit"], "PowerElectronicsConnection.q", 0, 1)
    made["secondary"].send_control_command(difference)
    until(lambda: made["secondary"].seen[FACTS["areaPower"]]["magnitude"] < 1)
    say("control", [before, made["secondary"].seen[FACTS["areaPower"]]["magnitude"]])
    for cim_name in ("cimhub_2023",):
        field_agents.set_cim_profile(cim_name, 8)
    sim.stop()
    for agent in made.values():
        agent.disconnect()
    g.disconnect()


def soak():
    """A thousand requests on one connection, without the second that get_response sleeps; twenty connections."""
    g = GridAPPSD(use_auth_token=False)
    answered = []
    payload = json.dumps({"requestType": "QUERY_MODEL_NAMES", "resultFormat": "JSON"})
    for n in range(1000):
        reply_to = "/temp-queue/response.soak%d" % n
        g.subscribe(reply_to, lambda header, message: answered.append(1))
        g._conn.send(t.REQUEST_POWERGRID_DATA, payload, headers={"reply-to": reply_to})
    until(lambda: len(answered) >= 1000)
    say("answers", len(answered))
    many = [GridAPPSD(use_auth_token=False) for _ in range(20)]
    got = set()
    for at, one in enumerate(many):
        one.subscribe("/topic/goss.conformance.many", lambda header, message, at=at: got.add(at))

    def heard_by_all():
        # A subscription is not answered: who is not there yet hears the next one.
        g.send("/topic/goss.conformance.many", {"n": 1})
        return until(lambda: len(got) >= 20, 0.5)

    until(heard_by_all)
    say("twenty connections", len(got))
    dropped = []

    class Listener:
        def on_disconnected(self, *arguments):
            dropped.append(1)

        def on_heartbeat_timeout(self, *arguments):
            dropped.append(2)

    many[0]._conn.set_listener("drops", Listener())
    time.sleep(FACTS["idle"])
    say("idle connection", [many[0].connected, dropped])
    for one in many:
        one.disconnect()
    many[0].connect()
    say("connected again", many[0].connected)
    many[0].disconnect()
    g.disconnect()


def cim_graph():
    """CIM-Graph over STOMP and over HTTP: the feeder's graph with the edges of some classes."""
    os.environ.update(
        CIMG_CIM_PROFILE="cimhub_2023",
        CIMG_IEC61970_301="8",
        CIMG_HOST="127.0.0.1",
        CIMG_PORT=str(FACTS["port"]),
        CIMG_USERNAME="system",
        CIMG_PASSWORD="manager",
        CIMG_NAMESPACE="http://iec.ch/TC57/CIM100#",
        CIMG_DATABASE="powergridmodel",
        CIMG_URL=FACTS["sparql"],
    )
    import cimgraph.data_profile.cimhub_2023 as cim
    from cimgraph.databases import BlazegraphConnection, GridappsdConnection
    from cimgraph.models import FeederModel

    for name, connect in (("STOMP", GridappsdConnection), ("HTTP", BlazegraphConnection)):
        connection = connect()
        network = FeederModel(container=cim.Feeder(mRID=MODEL), connection=connection, distributed=False)
        counts = {kind.__name__: len(objects) for kind, objects in network.graph.items()}
        say(name + " graph", {kind: counts.get(kind, 0) for kind in ("ACLineSegment", "EnergyConsumer", "LoadBreakSwitch", "ConnectivityNode")})
        network.get_all_edges(cim.LoadBreakSwitch)
        switches = network.graph[cim.LoadBreakSwitch].values()
        say(name + " edges", sorted((one.name, len(one.Terminals), len(one.Measurements)) for one in switches))


try:
    {
        "login": login,
        "queries": queries,
        "config": config,
        "simulation": simulation,
        "control": control,
        "logs": logs,
        "applications": applications,
        "field": field,
        "soak": soak,
        "cim-graph": cim_graph,
    }[sys.argv[1]]()
except BaseException:
    say("exception", traceback.format_exc())
sys.stdout.flush()
os._exit(0)
