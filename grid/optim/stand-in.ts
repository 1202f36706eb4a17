import { createServiceAgent, type ServiceAgent } from './agent.js';
import type { HeldPort, LocalInputs, ServiceModel, VerifyReply, VerifyRequest } from './star.js';
import type { StarSettings } from './star-settings.js';

/*
 * What an agent that is not there will do: nothing new. Its units run free up to the limits in force.
 *
 * Steps: 1. what each unit has available is cut to its limit in force; 2. with nothing curtailed beyond that, the linear
 *        model of the secondary gives boundary power and the highest port voltage that its nodes bear; 3. its AC power flow
 *        is checked, and corrects the linear model, like that of any agent.
 * Fails: as an agent does.
 */

/** Stands in for one agent during one interval. */
export class StandIn {
  private readonly agent: ServiceAgent;
  private readonly nodes: number;

  /**
   * @param inputs - loads and available power of the coming interval
   * @param limitsW - limits in force by PV id; a unit that is not named runs free
   */
  constructor(
    model: ServiceModel,
    settings: Partial<StarSettings>,
    inputs: LocalInputs,
    limitsW: ReadonlyMap<string, number>,
  ) {
    this.nodes = model.port.nodes.length;
    // One curtailed fraction for all units, which stays at zero.
    this.agent = createServiceAgent(model, { ...settings, fairness: 'equalAlpha' });
    const availableW = Object.fromEntries(
      model.feeder.pvSystems.map(({ id, maxPowerW }) => [
        id,
        Math.min(inputs.availableW[id] ?? maxPowerW, limitsW.get(id) ?? Infinity),
      ]),
    );
    this.agent.prepare({ ...inputs, availableW });
  }

  /** What its port draws and bears. */
  port(): HeldPort {
    const list = (value: number): number[] => new Array<number>(this.nodes).fill(value);
    const { powerW, powerVar, voltageSquaredPu } = this.agent.update({
      round: 1,
      rho: 1,
      targetW: list(0),
      targetVar: list(0),
      targetVoltageSquaredPu: list(1),
      targetAlpha: 0,
    });
    return { powerW, powerVar, highestVoltageSquaredPu: voltageSquaredPu };
  }

  /** Its AC power flow at given port voltages. */
  verify(request: VerifyRequest): VerifyReply {
    return this.agent.verify(request);
  }

  /** Moves its linear model onto its last AC power flow. */
  applyCorrection(): void {
    this.agent.applyCorrection();
  }
}
