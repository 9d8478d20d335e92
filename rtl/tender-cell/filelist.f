// SPDX-License-Identifier: Apache-2.0
// Content hash: f85135edddf8e6e924a4762c
// tender-cell, children first
tender_cell_i8_a32_s2.sv
