/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The usrpci authors */
/*
 * Who answers misses: a thread that an interrupt wakes. It waits for nobody's memory;
 * a miss whose memory isn't there, or is changing, is handed to a worker, and comes back.
 */
#ifndef USRPCI_TLB_SERVER_H
#define USRPCI_TLB_SERVER_H

struct list_head;
struct usrpci_tlb;

int usrpci_server_init(void);
void usrpci_server_exit(void);

int usrpci_server_start(struct usrpci_tlb *tlb);

/* Misses that wait for memory wait on, and are forgotten when they have it. */
void usrpci_server_stop(struct usrpci_tlb *tlb);

/* So much memory is waited for that nobody else is to begin. */
bool usrpci_server_is_busy(void);

/* From a hard interrupt. */
void usrpci_server_wake(struct usrpci_tlb *tlb);

/* A space was unbound: misses of it that wait for memory are answered without. */
void usrpci_server_refuse(struct usrpci_tlb *tlb);

/*
 * To unpin pages may have to wait, which who holds tlb->lock mustn't: it's done by
 * the server, or by whoever waits for that. @pins is no list any more.
 */
void usrpci_server_unpin_later(struct usrpci_tlb *tlb, struct list_head *pins);
void usrpci_server_unpin(struct usrpci_tlb *tlb);

#endif /* USRPCI_TLB_SERVER_H */
