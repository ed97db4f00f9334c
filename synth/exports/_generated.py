"""Python source made from JSON Schema by datamodel-code-generator, which names classes, members and aliases as Python needs them."""

from __future__ import annotations

import json

from synth.errors import BadRequest
from synth.exports.json_schema import document
from synth.schema import Schema


def generated(schema: Schema, kind: str) -> str:
    """A module with one class for each table; `kind` is the name of a DataModelType. Raises BadRequest without the extra `exports`."""
    try:
        from datamodel_code_generator import generate
        from datamodel_code_generator.config import GenerateConfig
        from datamodel_code_generator.enums import DataModelType, InputFileType
        from datamodel_code_generator.format import DatetimeClassType, Formatter, PythonVersion
    except ImportError:
        raise BadRequest(
            "this export needs the package datamodel-code-generator", "Install it: pip install 'tars[exports]'"
        ) from None
    config = GenerateConfig(
        input_file_type=InputFileType.JsonSchema,
        output_model_type=DataModelType[kind],
        target_python_version=PythonVersion.PY_311,
        output_datetime_class=DatetimeClassType.Datetime,
        use_standard_primitive_types=True,
        # With several tables the root says only that a record is one of any of them.
        skip_root_model=len(schema.tables) > 1,
        formatters=[Formatter.BUILTIN],
        custom_file_header="# Made from the data's schema by TARS.",
    )
    return str(generate(json.dumps(document(schema)), config=config)).rstrip() + "\n"
