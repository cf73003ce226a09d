/**
 * Which function of the model's C an operation calls, for going there from a scenario. Operations that are hardware's or the firmware's own have none; a
 * test holds the table against what operations do.
 */
export const entryFunctions: Readonly<Record<string, readonly string[]>> = {
  'vmm.set_memory_attributes': ['scenario_set_memory_attributes'],
  'vmm.launch_update': ['scenario_launch_update'],
  'vmm.launch_finish': ['scenario_launch_finish'],
  'vmm.punch_hole': ['scenario_punch_hole'],
  'guest.psc': ['scenario_psc'],
  'guest.ap_create': ['scenario_ap_creation'],
  'guest.vmrun': ['scenario_vmsa_pa'],
  'guest.vmexit': ['scenario_vmsa_pa'],
  // A guest's access that takes #NPF, and what KVM tells the VMM if it gives up.
  'guest.read': ['scenario_npf', 'scenario_exit_reason'],
  'guest.write': ['scenario_npf', 'scenario_exit_reason'],
  'guest.fetch': ['scenario_npf', 'scenario_exit_reason'],
  'guest.pvalidate': ['scenario_npf', 'scenario_exit_reason'],
  'guest.rmpadjust': ['scenario_npf', 'scenario_exit_reason'],
  'guest.rmpquery': ['scenario_npf', 'scenario_exit_reason'],
  // A write by a process that the RMP refuses.
  'host.user_write': ['scenario_user_rmp_fault', 'scenario_user_sigbus'],
};
