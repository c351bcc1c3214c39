import { findTfjsNode } from '../../../src/engine/tfjs-node/find.js';

/** Whether there is TensorFlow here, and what the names of tests say if there is none. */
export const tensorflow = look();

function look(): { readonly missing: boolean; readonly where: string } {
  try {
    findTfjsNode();
    return { missing: false, where: '' };
  } catch {
    return { missing: true, where: ' (skipped: scripts/setup-tfjs-node.sh installs it)' };
  }
}
