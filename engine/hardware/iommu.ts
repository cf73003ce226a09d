/**
 * DMA on a host with SNP: the IOMMU looks up the RMP and lets a device reach pages of the hypervisor only; what it stops it drops and logs as
 * an RMP_PAGE_FAULT event (AMD I/O Virtualization Technology specification, RMP checks; the line is that of Linux's drivers/iommu/amd/iommu.c).
 * A transfer is judged by the 4K page that it reaches, however large the IOMMU's own mapping.
 */
import { EventKind } from '../trace/trace.ts';
import { Fault } from './fault-codes.ts';
import type { Hardware } from './machine.ts';

/** Bit of the event's flags: the transfer was a write. */
const EVENT_WRITE = 0x20;

/** What a device did, as the event log shows it. */
export interface IommuEvent {
  /** The address that the device used, in bytes. Without a translation of the guest's it is the system address. */
  address: number;
  write: boolean;
  vmgTag: number;
  flagsRmp: number;
}

/**
 * One transfer by a device to or from a system address, in bytes. Leaves one trace event, `Access` or `Fault`.
 * @returns undefined if it goes through, otherwise the event that the IOMMU logs
 */
export function dma(hw: Hardware, address: number, write: boolean): IommuEvent | undefined {
  const pfn = Math.floor(address / 4096);
  hw.accessPfn = pfn;
  hw.faultCode = 0;
  if (!hw.rmp.isAssigned(pfn)) {
    hw.fault = Fault.None;
    hw.trace.record(EventKind.Access, 0, pfn, 0, write ? 1 : 0, address, -1);
    return undefined;
  }
  hw.fault = Fault.Iommu;
  hw.trace.record(EventKind.Fault, 0, pfn, 0, Fault.Iommu, write ? EVENT_WRITE : 0, hw.rmp.lastChange(pfn));
  return { address, write, vmgTag: 0, flagsRmp: 0 };
}

/** The kernel's line for an event. */
export function formatIommuEvent(event: IommuEvent): string {
  const hex = (n: number): string => n.toString(16).padStart(4, '0');
  const flags = event.write ? EVENT_WRITE : 0;
  return `AMD-Vi: Event logged [RMP_PAGE_FAULT vmg_tag=0x${hex(event.vmgTag)}, gpa=0x${event.address.toString(16)}, flags_rmp=0x${hex(event.flagsRmp)}, flags=0x${hex(flags)}]`;
}
