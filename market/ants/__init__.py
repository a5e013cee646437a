"""Ant-colony search with adaptive evaporation (paper 002, II.C): evaporation, colony."""
