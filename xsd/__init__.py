"""XML Schemas: the combined contract that we publish, and what each base service speaks."""
