import { peerCounterContract } from './peer-counter.contract.ts';
import { openRingCounter } from './ring-counter.ts';

peerCounterContract(openRingCounter);
