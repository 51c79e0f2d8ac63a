"""The operations of DRIVER.md, by its chapters. Importing a module enters its operations in registry.OPS."""
