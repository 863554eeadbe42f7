// Reads a simulation on each line of stdin, and prints the simulator's decision on each line of stdout.
import { createInterface } from 'node:readline'
import { runSimulation } from '@cloud-copilot/iam-simulate'

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await runSimulation(JSON.parse(line), { simulationMode: 'Strict' })
  const decision = answer.resultType === 'error' ? `error: ${JSON.stringify(answer.errors)}` : answer.overallResult
  process.stdout.write(`${decision}\n`)
}
