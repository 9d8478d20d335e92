// SPDX-License-Identifier: Apache-2.0
// Content hash: ef80fb0ca085f1cc6c6ab6f3
// tender-array, children first
tender_cell_i8_a32_s2.sv
tender_array_r16_c16_i8_a32_s2.sv
