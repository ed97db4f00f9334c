# ruff: noqa: N806  (a class that is fetched late keeps its name)
"""Files for the detection set that the real writer of each format makes, when the set is run.

A maker whose package is not installed raises ImportError, and its files are left out by name.
"""

from __future__ import annotations

import gzip
import io
import struct
import wave
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

Write = Callable[[Path], None]


@dataclass(frozen=True)
class Made:
    """A file that `write` leaves at the path it is given. `kinds` are the right answers, `hidden` those that are right too
    when the name does not help. `folder`: it is a folder."""

    name: str
    kinds: str
    write: Write
    hidden: str = ""
    folder: bool = False


MADE: list[Made] = []


def library(name: str) -> Any:
    """A module, or a member of one, of a package that need not be installed."""
    module, _, member = name.rpartition(".")
    if module and hasattr(parent := import_module(module), member):
        return getattr(parent, member)
    return import_module(name)


def made(name: str, kinds: str, hidden: str = "", folder: bool = False) -> Callable[[Write], Write]:
    """Put a maker into the set."""

    def put(write: Write) -> Write:
        MADE.append(Made(name, kinds, write, hidden, folder))
        return write

    return put


def table(rows: int = 20) -> Any:
    """A small table with numbers, text and times."""
    pa = library("pyarrow")

    return pa.table(
        {"id": list(range(rows)), "name": [f"n{i}" for i in range(rows)], "x": [i / 7 for i in range(rows)]}
    )


# columnar ------------------------------------------------------------------------------------------------------------
def _parquet(rows: int, **options: Any) -> Write:
    def write(path: Path) -> None:
        pq = library("pyarrow.parquet")

        pq.write_table(table(rows), path, **options)

    return write


made("orders.parquet", "parquet")(_parquet(20))
made("large.parquet", "parquet")(_parquet(50_000, compression="zstd"))
made("plain.parq", "parquet")(_parquet(3, compression="none", use_dictionary=False))


@made("orders.arrow", "arrow")
def _arrow(path: Path) -> None:
    pa = library("pyarrow")

    with pa.OSFile(str(path), "wb") as out, pa.ipc.new_file(out, table().schema) as writer:
        writer.write_table(table())


@made("orders.arrows", "arrow-stream, arrow")
def _arrow_stream(path: Path) -> None:
    pa = library("pyarrow")

    with pa.OSFile(str(path), "wb") as out, pa.ipc.new_stream(out, table().schema) as writer:
        writer.write_table(table())


def _feather(version: int) -> Write:
    def write(path: Path) -> None:
        feather = library("pyarrow.feather")

        feather.write_feather(table(), str(path), version=version)

    return write


made("orders.feather", "feather, arrow")(_feather(2))
made("old.feather", "feather")(_feather(1))


@made("orders.orc", "orc")
def _orc(path: Path) -> None:
    orc = library("pyarrow.orc")

    orc.write_table(table(), str(path))


def _avro(codec: str) -> Write:
    def write(path: Path) -> None:
        fastavro = library("fastavro")

        schema = {
            "type": "record",
            "name": "R",
            "fields": [{"name": "id", "type": "long"}, {"name": "n", "type": "string"}],
        }
        with path.open("wb") as out:
            fastavro.writer(out, schema, [{"id": i, "n": str(i)} for i in range(9)], codec=codec)

    return write


made("events.avro", "avro")(_avro("null"))
made("events-deflated.avro", "avro")(_avro("deflate"))


# databases in a file ---------------------------------------------------------------------------------------------------
@made("shop.sqlite", "sqlite")
def _sqlite(path: Path) -> None:
    import sqlite3

    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL)")
        db.executemany("INSERT INTO orders VALUES (?, ?)", [(i, i / 3) for i in range(50)])
    db.close()


@made("store.db3", "sqlite")
def _sqlite_wide(path: Path) -> None:
    import sqlite3

    db = sqlite3.connect(path)
    db.execute("PRAGMA page_size = 16384")
    db.execute("CREATE TABLE t (a, b)")
    db.commit()
    db.close()


@made("tiles.mbtiles", "mbtiles", "sqlite")
def _mbtiles(path: Path) -> None:
    import sqlite3

    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE metadata (name text, value text)")
        db.execute("CREATE TABLE tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob)")
        db.execute("INSERT INTO metadata VALUES ('format', 'png')")
    db.close()


@made("places.sqlite", "firefox-places", "sqlite")
def _places(path: Path) -> None:
    import sqlite3

    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url LONGVARCHAR, title LONGVARCHAR)")
        db.execute("CREATE TABLE moz_historyvisits (id INTEGER PRIMARY KEY, place_id INTEGER, visit_date INTEGER)")
        db.execute("CREATE TABLE moz_bookmarks (id INTEGER PRIMARY KEY, fk INTEGER)")
    db.close()


@made("collection.anki2", "anki", "sqlite")
def _anki(path: Path) -> None:
    import sqlite3

    with sqlite3.connect(path) as db:
        for name in ("col", "notes", "cards", "revlog", "graves"):
            db.execute(f"CREATE TABLE {name} (id integer primary key, mid integer)")
    db.close()


@made("warehouse.duckdb", "duckdb")
def _duckdb(path: Path) -> None:
    duckdb = library("duckdb")

    with duckdb.connect(str(path)) as db:
        db.execute("CREATE TABLE t AS SELECT range AS i FROM range(100)")


@made("cache.mdb", "lmdb")
def _lmdb(path: Path) -> None:
    lmdb = library("lmdb")

    with lmdb.open(str(path), subdir=False, map_size=1 << 20) as env, env.begin(write=True) as txn:
        txn.put(b"a", b"1")


@made("levels", "leveldb", folder=True)
def _leveldb(path: Path) -> None:
    plyvel = library("plyvel")

    db = plyvel.DB(str(path), create_if_missing=True)
    db.put(b"a", b"1")
    db.close()


@made("rocks", "rocksdb, leveldb", folder=True)
def _rocksdb(path: Path) -> None:
    Rdict = library("rocksdict.Rdict")

    db = Rdict(str(path))
    db["a"] = 1
    db.close()


@made("customers.dbf", "dbf")
def _dbf(path: Path) -> None:
    shapefile = library("shapefile")

    with shapefile.Writer(str(path.with_suffix(""))) as writer:
        writer.field("NAME", "C", 20)
        writer.field("N", "N", 10)
        writer.null()
        writer.record("Ada", 1)
    path.with_suffix(".dbf").replace(path)


@made("parcels.shp", "shapefile")
def _shp(path: Path) -> None:
    shapefile = library("shapefile")

    with shapefile.Writer(str(path.with_suffix(""))) as writer:
        writer.field("NAME", "C", 20)
        for i in range(4):
            writer.point(i, i + 1)
            writer.record(f"p{i}")
    path.with_suffix(".shp").replace(path)


@made("parcels.shx", "shapefile-index, shapefile")
def _shx(path: Path) -> None:
    shapefile = library("shapefile")

    with shapefile.Writer(str(path.with_suffix(""))) as writer:
        writer.field("NAME", "C", 20)
        for i in range(4):
            writer.poly([[[i, 0], [i, 1], [i + 1, 1], [i, 0]]])
            writer.record(f"p{i}")
    path.with_suffix(".shx").replace(path)


def _ogr(driver: str) -> Write:
    def write(path: Path) -> None:
        np = library("numpy")
        library("pyogrio.raw")
        pyogrio = library("pyogrio")

        point = struct.pack("<BIdd", 1, 1, 13.4, 52.5)
        pyogrio.raw.write(
            str(path), np.array([point], dtype=object), [np.array([1], dtype=np.int64)], ["n"], None,
            driver=driver, geometry_type="Point", crs="EPSG:4326",
        )  # fmt: skip

    return write


made("towns.gpkg", "geopackage")(_ogr("GPKG"))
made("towns.fgb", "flatgeobuf")(_ogr("FlatGeobuf"))


# folders -------------------------------------------------------------------------------------------------------------
@made("sales_delta", "delta", folder=True)
def _delta(path: Path) -> None:
    write_deltalake = library("deltalake.write_deltalake")

    write_deltalake(str(path), table())


@made("sales_iceberg", "iceberg", folder=True)
def _iceberg(path: Path) -> None:
    SqlCatalog = library("pyiceberg.catalog.sql.SqlCatalog")

    path.parent.mkdir(parents=True, exist_ok=True)
    catalog = SqlCatalog("c", uri="sqlite:///:memory:", warehouse=f"file://{path.parent}")
    catalog.create_namespace("n")
    written = catalog.create_table("n.t", schema=table().schema, location=f"file://{path}")
    written.append(table())


@made("by_year", "partitioned", folder=True)
def _partitioned(path: Path) -> None:
    pq = library("pyarrow.parquet")

    pq.write_to_dataset(table(), str(path), partition_cols=["name"])


def _zarr(version: int) -> Write:
    def write(path: Path) -> None:
        np = library("numpy")
        zarr = library("zarr")

        zarr.save_array(str(path), np.arange(20), zarr_format=version)

    return write


made("grid.zarr", "zarr", folder=True)(_zarr(3))
made("grid2.zarr", "zarr", folder=True)(_zarr(2))


@made("inbox", "maildir", folder=True)
def _maildir(path: Path) -> None:
    import mailbox
    from email.message import EmailMessage

    box = mailbox.Maildir(str(path), create=True)
    message = EmailMessage()
    message["Subject"] = "x"
    message.set_content("y")
    box.add(message)


@made("csvs", "csv-folder, folder", folder=True)
def _csvs(path: Path) -> None:
    path.mkdir(parents=True)
    for i in range(3):
        (path / f"part-{i}.csv").write_text("a,b\n1,2\n3,4\n")


@made("parquets", "parquet-folder, folder", folder=True)
def _parquets(path: Path) -> None:
    path.mkdir(parents=True)
    for i in range(3):
        _parquet(5)(path / f"part-{i}.parquet")


# office ----------------------------------------------------------------------------------------------------------------
@made("book.xlsx", "xlsx")
def _xlsx(path: Path) -> None:
    openpyxl = library("openpyxl")

    book = openpyxl.Workbook()
    book.create_sheet("B").append(["a", 1])
    with path.open("wb") as out:
        book.save(out)


@made("stream.xlsx", "xlsx")
def _xlsx_constant(path: Path) -> None:
    xlsxwriter = library("xlsxwriter")

    with path.open("wb") as out, xlsxwriter.Workbook(out, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for i in range(500):
            sheet.write_row(i, 0, [i, f"v{i}"])


@made("template.xltx", "xltx", "xlsx")
def _xltx(path: Path) -> None:
    openpyxl = library("openpyxl")

    book = openpyxl.Workbook()
    book.template = True
    with path.open("wb") as out:
        book.save(out)


@made("old.xls", "xls")
def _xls(path: Path) -> None:
    xlwt = library("xlwt")

    book = xlwt.Workbook()
    book.add_sheet("A").write(0, 0, "x")
    with path.open("wb") as out:
        book.save(out)


def _odf(kind: str) -> Write:
    def write(path: Path) -> None:
        opendocument = library("odf.opendocument")

        document = getattr(opendocument, f"OpenDocument{kind}")()
        with path.open("wb") as out:
            document.write(out)

    return write


made("sheet.ods", "ods")(_odf("Spreadsheet"))
made("letter.odt", "odt")(_odf("Text"))
made("slides.odp", "odp")(_odf("Presentation"))
made("drawing.odg", "odg")(_odf("Drawing"))


@made("letter.docx", "docx")
def _docx(path: Path) -> None:
    docx = library("docx")

    document = docx.Document()
    document.add_paragraph("Dear Ada")
    with path.open("wb") as out:
        document.save(out)


@made("slides.pptx", "pptx")
def _pptx(path: Path) -> None:
    pptx = library("pptx")

    slides = pptx.Presentation()
    slides.slides.add_slide(slides.slide_layouts[0])
    with path.open("wb") as out:
        slides.save(out)


def _pdf(**options: Any) -> Write:
    def write(path: Path) -> None:
        canvas = library("reportlab.pdfgen.canvas")

        page = canvas.Canvas(str(path), **options)
        page.drawString(100, 700, "Hello")
        page.save()

    return write


made("report.pdf", "pdf")(_pdf())
made("compressed.pdf", "pdf")(_pdf(pageCompression=1, pdfVersion=(1, 4)))


@made("late.pdf", "pdf")
def _pdf_late(path: Path) -> None:
    _pdf()(path)
    path.write_bytes(b"\n\r\n  \n" + path.read_bytes())


@made("novel.epub", "epub")
def _epub(path: Path) -> None:
    epub = library("ebooklib.epub")

    book = epub.EpubBook()
    book.set_title("T")
    chapter = epub.EpubHtml(title="One", file_name="one.xhtml")
    chapter.content = "<h1>One</h1>"
    book.add_item(chapter)
    book.spine = [chapter]
    book.add_item(epub.EpubNcx())
    epub.write_epub(str(path), book)


@made("analysis.ipynb", "jupyter")
def _notebook(path: Path) -> None:
    v4 = library("nbformat.v4")
    writes = library("nbformat.writes")

    path.write_text(writes(v4.new_notebook(cells=[v4.new_code_cell("1+1"), v4.new_markdown_cell("# A")])))


@made("events.ics", "icalendar")
def _ics(path: Path) -> None:
    icalendar = library("icalendar")

    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//x//")
    calendar.add("version", "2.0")
    event = icalendar.Event()
    event.add("summary", "Meeting")
    calendar.add_component(event)
    path.write_bytes(calendar.to_ical())


@made("ada.vcf", "vcard")
def _vcard(path: Path) -> None:
    vobject = library("vobject")

    card = vobject.vCard()
    card.add("n").value = vobject.vcard.Name(family="Lovelace", given="Ada")
    card.add("fn").value = "Ada Lovelace"
    path.write_text(card.serialize(), newline="")


@made("web.warc", "warc")
def _warc(path: Path) -> None:
    WARCWriter = library("warcio.warcwriter.WARCWriter")

    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=False)
        writer.write_record(writer.create_warcinfo_record("x", {"software": "y"}))


@made("messages.mo", "gettext-mo")
def _mo(path: Path) -> None:
    polib = library("polib")

    catalogue = polib.POFile()
    catalogue.append(polib.POEntry(msgid="Hello", msgstr="Hallo"))
    catalogue.save_as_mofile(str(path))


# statistics ------------------------------------------------------------------------------------------------------------
def _stat(writer: str, **options: Any) -> Write:
    def write(path: Path) -> None:
        pl = library("polars")
        pyreadstat = library("pyreadstat")

        getattr(pyreadstat, writer)(pl.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}), str(path), **options)

    return write


made("survey.sav", "spss")(_stat("write_sav"))
made("survey.zsav", "spss")(_stat("write_sav", compress=True))
made("survey.dta", "stata")(_stat("write_dta"))
made("survey8.dta", "stata")(_stat("write_dta", version=8))
made("survey.xpt", "sas-xport")(_stat("write_xport"))
made("survey5.xpt", "sas-xport")(_stat("write_xport", file_format_version=5))
made("survey.por", "spss-portable")(_stat("write_por"))


@made("model.mat", "matlab")
def _mat(path: Path) -> None:
    savemat = library("scipy.io.savemat")

    with path.open("wb") as out:
        savemat(out, {"a": [1, 2, 3]})


# science ---------------------------------------------------------------------------------------------------------------
@made("measure.h5", "hdf5")
def _h5(path: Path) -> None:
    h5py = library("h5py")

    with h5py.File(path, "w") as out:
        out["a"] = [1, 2, 3]


@made("withblock.hdf5", "hdf5")
def _h5_block(path: Path) -> None:
    h5py = library("h5py")

    with h5py.File(path, "w", userblock_size=512) as out:
        out["a/b"] = [1.0, 2.0]


@made("cells.h5ad", "h5ad", "hdf5")
def _h5ad(path: Path) -> None:
    h5py = library("h5py")

    with h5py.File(path, "w") as out:
        out.attrs["encoding-type"] = "anndata"
        out.attrs["encoding-version"] = "0.1.0"
        out["X"] = [[1.0, 2.0]]
        for name in ("obs", "var", "uns", "obsm", "varm", "layers"):
            out.create_group(name)


def _nc(form: str) -> Write:
    def write(path: Path) -> None:
        netCDF4 = library("netCDF4")

        with netCDF4.Dataset(str(path), "w", format=form) as out:
            out.createDimension("t", 3)
            out.createVariable("x", "f4", ("t",))[:] = [1, 2, 3]

    return write


made("climate3.nc", "netcdf")(_nc("NETCDF3_CLASSIC"))
made("climate64.nc", "netcdf")(_nc("NETCDF3_64BIT_OFFSET"))
made("climate4.nc", "netcdf4, netcdf", "hdf5")(_nc("NETCDF4"))


@made("image.fits", "fits")
def _fits(path: Path) -> None:
    np = library("numpy")
    fits = library("astropy.io.fits")

    fits.PrimaryHDU(np.zeros((4, 4))).writeto(str(path))


@made("values.npy", "npy")
def _npy(path: Path) -> None:
    np = library("numpy")

    with path.open("wb") as out:
        np.save(out, np.arange(9))


@made("values.npz", "npz", "zip")
def _npz(path: Path) -> None:
    np = library("numpy")

    with path.open("wb") as out:
        np.savez(out, a=np.arange(9), b=np.zeros(3))


@made("brain.nii", "nifti")
def _nii(path: Path) -> None:
    nibabel = library("nibabel")
    np = library("numpy")

    path.write_bytes(nibabel.Nifti1Image(np.zeros((4, 4, 4), dtype=np.int16), np.eye(4)).to_bytes())


@made("scan.dcm", "dicom")
def _dcm(path: Path) -> None:
    pydicom = library("pydicom")

    data = pydicom.Dataset()
    data.PatientName = "A^B"
    data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    data.SOPInstanceUID = "1.2.3"
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    pydicom.dcmwrite(str(path), data, enforce_file_format=True)


@made("sleep.edf", "edf")
def _edf(path: Path) -> None:
    np = library("numpy")
    pyedflib = library("pyedflib")

    writer = pyedflib.EdfWriter(str(path.with_suffix(".edf")), 1, file_type=pyedflib.FILETYPE_EDF)
    writer.setSignalHeader(0, {"label": "EEG", "dimension": "uV", "sample_frequency": 100, "physical_max": 100,
                               "physical_min": -100, "digital_max": 32767, "digital_min": -32768,
                               "transducer": "", "prefilter": ""})  # fmt: skip
    writer.writeSamples([np.zeros(200)])
    writer.close()
    path.with_suffix(".edf").replace(path)


@made("volume.nrrd", "nrrd")
def _nrrd(path: Path) -> None:
    nrrd = library("nrrd")
    np = library("numpy")

    nrrd.write(str(path), np.zeros((3, 3, 3)))


@made("space.cdf", "cdf")
def _cdf(path: Path) -> None:
    library("cdflib.cdfwrite")
    cdflib = library("cdflib")

    writer = cdflib.cdfwrite.CDF(str(path.with_suffix(".cdf")), cdf_spec={"Majority": "row_major"})
    writer.write_globalattrs({"Project": {0: "x"}})
    writer.close()
    path.with_suffix(".cdf").replace(path)


@made("daq.tdms", "tdms")
def _tdms(path: Path) -> None:
    np = library("numpy")
    ChannelObject = library("nptdms.ChannelObject")
    TdmsWriter = library("nptdms.TdmsWriter")

    with TdmsWriter(str(path)) as out:
        out.write_segment([ChannelObject("g", "c", np.arange(5.0))])


@made("events.root", "root")
def _root(path: Path) -> None:
    uproot = library("uproot")

    with uproot.recreate(str(path)) as out:
        out["t"] = {"x": [1.0, 2.0]}


@made("tree.asdf", "asdf")
def _asdf(path: Path) -> None:
    asdf = library("asdf")
    np = library("numpy")

    asdf.AsdfFile({"a": np.arange(4)}).write_to(str(path))


@made("reads.fastq", "fastq")
def _fastq(path: Path) -> None:
    SeqIO = library("Bio.SeqIO")
    Seq = library("Bio.Seq.Seq")
    SeqRecord = library("Bio.SeqRecord.SeqRecord")

    SeqIO.write([SeqRecord(Seq("ACGTN"), "r1", letter_annotations={"phred_quality": [30] * 5})], str(path), "fastq")


def _bio(form: str) -> Write:
    def write(path: Path) -> None:
        SeqIO = library("Bio.SeqIO")
        Seq = library("Bio.Seq.Seq")
        SeqRecord = library("Bio.SeqRecord.SeqRecord")

        SeqIO.write([SeqRecord(Seq("ACGT" * 20), "S1", annotations={"molecule_type": "DNA"})], str(path), form)

    return write


made("record.gb", "genbank")(_bio("genbank"))
made("record.embl", "embl")(_bio("embl"))


@made("aligned.phy", "phylip")
def _phylip(path: Path) -> None:
    AlignIO = library("Bio.AlignIO")
    MultipleSeqAlignment = library("Bio.Align.MultipleSeqAlignment")
    Seq = library("Bio.Seq.Seq")
    SeqRecord = library("Bio.SeqRecord.SeqRecord")

    rows = [SeqRecord(Seq("ACGTACGT"), "alpha"), SeqRecord(Seq("ACGTACGA"), "beta")]
    AlignIO.write([MultipleSeqAlignment(rows)], str(path), "phylip")


def _sam(mode: str) -> Write:
    def write(path: Path) -> None:
        pysam = library("pysam")

        header = {"HD": {"VN": "1.6"}, "SQ": [{"LN": 1575, "SN": "chr1"}]}
        with pysam.AlignmentFile(str(path), mode, header=header) as out:
            read = pysam.AlignedSegment()
            read.query_name, read.query_sequence, read.flag = "r", "ACGT", 0
            read.reference_id, read.reference_start, read.cigartuples = 0, 10, [(0, 4)]
            out.write(read)

    return write


made("reads.sam", "sam")(_sam("w"))
made("reads.bam", "bam")(_sam("wb"))


def _vcf(mode: str) -> Write:
    def write(path: Path) -> None:
        pysam = library("pysam")

        header = pysam.VariantHeader()
        header.add_line("##contig=<ID=1,length=1000>")
        with pysam.VariantFile(str(path), mode, header=header) as out:
            out.write(out.new_record(contig="1", start=9, alleles=("A", "T")))

    return write


made("variants.vcf", "vcf")(_vcf("w"))
made("variants.bcf", "bcf")(_vcf("wb"))


@made("cloud.las", "las")
def _las(path: Path) -> None:
    laspy = library("laspy")
    np = library("numpy")

    cloud = laspy.create(point_format=3, file_version="1.2")
    cloud.x = np.arange(5.0)
    cloud.y = np.arange(5.0)
    cloud.z = np.arange(5.0)
    with path.open("wb") as out:
        cloud.write(out, do_compress=False)


def _mesh(form: str) -> Write:
    def write(path: Path) -> None:
        trimesh = library("trimesh")

        body = trimesh.creation.box().export(file_type=form)
        path.write_bytes(body.encode() if isinstance(body, str) else body)

    return write


made("box.stl", "stl")(_mesh("stl"))
made("box-ascii.stl", "stl")(_mesh("stl_ascii"))
made("box.ply", "ply")(_mesh("ply"))
made("box.obj", "obj")(_mesh("obj"))
made("box.off", "off")(_mesh("off"))
made("box.glb", "glb")(_mesh("glb"))


@made("logs.mcap", "mcap")
def _mcap(path: Path) -> None:
    Writer = library("mcap.writer.Writer")

    with path.open("wb") as out:
        writer = Writer(out)
        writer.start()
        schema = writer.register_schema("s", "jsonschema", b"{}")
        channel = writer.register_channel("/t", "json", schema)
        writer.add_message(channel, 0, b"{}", 0)
        writer.finish()


@made("drive.bag", "rosbag")
def _rosbag(path: Path) -> None:
    Writer = library("rosbags.rosbag1.Writer")
    Stores = library("rosbags.typesys.Stores")
    get_typestore = library("rosbags.typesys.get_typestore")

    store = get_typestore(Stores.ROS1_NOETIC)
    with Writer(path) as out:
        connection = out.add_connection("/t", "std_msgs/msg/String", typestore=store)
        message = store.types["std_msgs/msg/String"]("x")
        out.write(connection, 1, store.serialize_ros1(message, "std_msgs/msg/String"))


@made("weights.safetensors", "safetensors")
def _safetensors(path: Path) -> None:
    np = library("numpy")
    save = library("safetensors.numpy.save")

    path.write_bytes(save({"a": np.zeros(3)}))


@made("model.gguf", "gguf")
def _gguf(path: Path) -> None:
    GGUFWriter = library("gguf.GGUFWriter")

    writer = GGUFWriter(str(path), "llama")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@made("model.onnx", "onnx")
def _onnx(path: Path) -> None:
    TensorProto = library("onnx.TensorProto")
    helper = library("onnx.helper")

    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    path.write_bytes(helper.make_model(graph, producer_name="hand").SerializeToString())


@made("shock.mseed.sgy", "segy")
def _segy(path: Path) -> None:
    np = library("numpy")
    segyio = library("segyio")

    segyio.tools.from_array(str(path), np.zeros((2, 2, 25), dtype=np.float32))


@made("plan.dxf", "dxf")
def _dxf(path: Path) -> None:
    ezdxf = library("ezdxf")

    drawing = ezdxf.new()
    drawing.modelspace().add_line((0, 0), (1, 1))
    with path.open("w") as out:
        drawing.write(out)


@made("walk.gpx", "gpx")
def _gpx(path: Path) -> None:
    library("gpxpy.gpx")
    gpxpy = library("gpxpy")

    track = gpxpy.gpx.GPX()
    track.waypoints.append(gpxpy.gpx.GPXWaypoint(52.5, 13.4))
    path.write_text(track.to_xml())


def _rdf(form: str) -> Write:
    def write(path: Path) -> None:
        rdflib = library("rdflib")

        graph = rdflib.Graph()
        graph.add((rdflib.URIRef("http://e.org/a"), rdflib.RDF.type, rdflib.FOAF.Person))
        graph.add((rdflib.URIRef("http://e.org/a"), rdflib.FOAF.name, rdflib.Literal("Ada")))
        path.write_text(graph.serialize(format=form))

    return write


made("ontology.owl", "rdf-xml")(_rdf("xml"))
made("people.ttl", "turtle")(_rdf("turtle"))
made("people.jsonld", "json-ld")(_rdf("json-ld"))
made("people.nt", "n-triples")(_rdf("nt"))


# serialisation -----------------------------------------------------------------------------------------------------------
RECORD = {"id": 7, "name": "Ada", "tags": ["x", "y"], "price": 12.5, "ok": True, "nothing": None}


@made("record.msgpack", "msgpack")
def _msgpack(path: Path) -> None:
    msgpack = library("msgpack")

    path.write_bytes(msgpack.packb(RECORD))


@made("stream.mpk", "msgpack")
def _msgpack_stream(path: Path) -> None:
    msgpack = library("msgpack")

    path.write_bytes(b"".join(msgpack.packb(RECORD | {"id": i}) for i in range(100)))


@made("record.cbor", "cbor")
def _cbor(path: Path) -> None:
    cbor2 = library("cbor2")

    path.write_bytes(cbor2.dumps(RECORD))


@made("tagged.cbor", "cbor")
def _cbor_tagged(path: Path) -> None:
    cbor2 = library("cbor2")

    path.write_bytes(cbor2.dumps(cbor2.CBORTag(55799, [RECORD, RECORD])))


@made("record.bson", "bson")
def _bson(path: Path) -> None:
    bson = library("bson")

    path.write_bytes(bson.encode(RECORD))


@made("dump.bson", "bson")
def _bson_dump(path: Path) -> None:
    bson = library("bson")

    path.write_bytes(b"".join(bson.encode({"_id": bson.ObjectId(), "n": i}) for i in range(50)))


def _pickle(protocol: int) -> Write:
    def write(path: Path) -> None:
        import pickle

        path.write_bytes(pickle.dumps(RECORD, protocol=protocol))

    return write


made("record.pkl", "pickle")(_pickle(4))
made("record2.pickle", "pickle")(_pickle(2))
made("record0.pickle", "pickle")(_pickle(0))


@made("settings.plist", "binary-plist, plist")
def _bplist(path: Path) -> None:
    import plistlib

    path.write_bytes(plistlib.dumps({"a": 1}, fmt=plistlib.FMT_BINARY))


@made("film.torrent", "bencode")
def _torrent(path: Path) -> None:
    bencodepy = library("bencodepy")

    info = {"name": "a", "piece length": 16384, "length": 9, "pieces": b"0" * 20}
    path.write_bytes(bencodepy.encode({"announce": "http://t.example/a", "info": info}))


@made("api.desc.pb", "protobuf-descriptor, protobuf")
def _descriptor(path: Path) -> None:
    descriptor_pb2 = library("google.protobuf.descriptor_pb2")
    timestamp_pb2 = library("google.protobuf.timestamp_pb2")

    files = descriptor_pb2.FileDescriptorSet()
    timestamp_pb2.DESCRIPTOR.CopyToProto(files.file.add())
    path.write_bytes(files.SerializeToString())


@made("record.ion", "ion")
def _ion(path: Path) -> None:
    simpleion = library("amazon.ion.simpleion")

    path.write_bytes(simpleion.dumps({"a": 1, "b": "x"}, binary=True))


@made("key.der", "asn1-der")
def _der(path: Path) -> None:
    serialization = library("cryptography.hazmat.primitives.serialization")
    ec = library("cryptography.hazmat.primitives.asymmetric.ec")

    key = ec.derive_private_key(12345, ec.SECP256R1()).public_key()
    path.write_bytes(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


@made("module.pyc", "pyc")
def _pyc(path: Path) -> None:
    import marshal

    path.write_bytes(
        bytes.fromhex("a70d0d0a0000000000000000000000") + b"\0" + marshal.dumps(compile("x = 1", "m", "exec"))
    )


# archives and compression ------------------------------------------------------------------------------------------------
def _zip(*members: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> Write:
    def write(path: Path) -> None:
        with path.open("wb") as out, zipfile.ZipFile(out, "w", how) as archive:
            for name, body in members:
                archive.writestr(name, body)

    return write


made("photos.zip", "zip")(_zip(("a.jpg", b"\xff\xd8\xff"), ("b.jpg", b"\xff\xd8\xff"), ("notes/x.txt", b"x")))
made("stored.zip", "zip")(_zip(("data.bin", bytes(900)), how=zipfile.ZIP_STORED))
made("empty.zip", "zip")(_zip())
made("app.jar", "jar", "zip")(
    _zip(("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\r\n"), ("a/Main.class", b"\xca\xfe\xba\xbe"))
)
made("app.apk", "apk", "zip")(
    _zip(("AndroidManifest.xml", b"\3\0\x08\0"), ("classes.dex", b"dex\n035\0"), ("resources.arsc", b"\2"))
)
made("demo-1.0-py3-none-any.whl", "wheel", "zip")(
    _zip(("demo/__init__.py", b""), ("demo-1.0.dist-info/METADATA", b"Name: demo"), ("demo-1.0.dist-info/WHEEL", b"W"))
)
made("comic.cbz", "cbz, zip")(_zip(("01.jpg", b"\xff\xd8\xff"), ("02.jpg", b"\xff\xd8\xff")))
made("place.kmz", "kmz", "zip")(_zip(("doc.kml", b'<kml xmlns="http://www.opengis.net/kml/2.2"></kml>')))
made("feed.gtfs.zip", "gtfs", "zip")(
    _zip(
        ("agency.txt", b"agency_id,agency_name,agency_url,agency_timezone\n1,A,http://a,Europe/Berlin\n"),
        ("stops.txt", b"stop_id,stop_name,stop_lat,stop_lon\n1,A,52,13\n"), ("routes.txt", b"route_id,route_type\n1,3\n"),
        ("trips.txt", b"route_id,service_id,trip_id\n1,1,1\n"), ("stop_times.txt", b"trip_id,stop_id,stop_sequence\n1,1,1\n"),
    )
)  # fmt: skip
made("part.3mf", "3mf", "zip")(
    _zip(("[Content_Types].xml", b"<Types/>"), ("_rels/.rels", b"<Relationships/>"), ("3D/3dmodel.model", b"<model/>"))
)


def _tar(form: int, mode: str = "w") -> Write:
    def write(path: Path) -> None:
        import tarfile

        with path.open("wb") as out, tarfile.open(fileobj=out, mode=mode, format=form) as archive:  # type: ignore[call-overload]
            for name in ("a.txt", "dir/b.txt"):
                member = tarfile.TarInfo(name)
                member.size = 3
                archive.addfile(member, io.BytesIO(b"abc"))

    return write


made("backup.tar", "tar")(_tar(1))
made("pax.tar", "tar")(_tar(2))
made("ustar.tar", "tar")(_tar(0))
made("backup.tar.gz", "tar, gzip")(_tar(1, "w:gz"))
made("backup.tgz", "tar, gzip")(_tar(2, "w:gz"))
made("backup.tar.xz", "tar, xz")(_tar(1, "w:xz"))
made("backup.tar.bz2", "tar, bzip2")(_tar(1, "w:bz2"))
NOISE = bytes((i * i * 7 + i // 3) % 251 for i in range(3000))


@made("noise.bin.gz", "gzip")
def _gz(path: Path) -> None:
    path.write_bytes(gzip.compress(NOISE, mtime=0))


@made("noise.bz2", "bzip2")
def _bz2(path: Path) -> None:
    import bz2

    path.write_bytes(bz2.compress(NOISE))


@made("noise.xz", "xz")
def _xz(path: Path) -> None:
    import lzma

    path.write_bytes(lzma.compress(NOISE))


@made("noise.lzma", "lzma")
def _lzma(path: Path) -> None:
    import lzma

    path.write_bytes(lzma.compress(NOISE, format=lzma.FORMAT_ALONE))


@made("noise.zst", "zstd")
def _zst(path: Path) -> None:
    zstandard = library("zstandard")

    path.write_bytes(zstandard.compress(NOISE))


@made("noise.lz4", "lz4")
def _lz4(path: Path) -> None:
    library("lz4.frame")
    lz4 = library("lz4")

    path.write_bytes(lz4.frame.compress(NOISE))


@made("noise.sz", "snappy")
def _snappy(path: Path) -> None:
    snappy = library("snappy")

    path.write_bytes(snappy.StreamCompressor().add_chunk(NOISE))


@made("noise.zlib", "zlib")
def _zlib(path: Path) -> None:
    import zlib

    path.write_bytes(zlib.compress(NOISE))


@made("orders.csv.gz", "csv, gzip")
def _csv_gz(path: Path) -> None:
    path.write_bytes(gzip.compress(b"id,name,total\n1,Ada,2.5\n2,Bo,3.0\n" * 1))


@made("events.json.zst", "ndjson, zstd")
def _json_zst(path: Path) -> None:
    zstandard = library("zstandard")

    path.write_bytes(zstandard.compress(b'{"id":1,"a":"x"}\n{"id":2,"a":"y"}\n' * 40))


@made("backup.7z", "7z")
def _7z(path: Path) -> None:
    py7zr = library("py7zr")

    with path.open("wb") as out, py7zr.SevenZipFile(out, "w") as archive:
        archive.writestr(b"abc", "a.txt")


@made("disc.iso", "iso")
def _iso(path: Path) -> None:
    pycdlib = library("pycdlib")

    disc = pycdlib.PyCdlib()
    disc.new()
    disc.add_fp(io.BytesIO(b"abc"), 3, "/A.TXT;1")
    with path.open("wb") as out:
        disc.write_fp(out)
    disc.close()


# images, audio, video ------------------------------------------------------------------------------------------------------
def _image(form: str, **options: Any) -> Write:
    def write(path: Path) -> None:
        Image = library("PIL.Image")

        picture = Image.new(options.pop("mode", "RGB") if "mode" in options else "RGB", (32, 24), 80)
        with path.open("wb") as out:
            picture.save(out, form, **options)

    return write


for _name, _kind, _form in (
    ("photo.png", "png", "PNG"), ("photo.jpg", "jpeg", "JPEG"), ("photo.gif", "gif", "GIF"), ("photo.bmp", "bmp", "BMP"),
    ("photo.webp", "webp", "WEBP"), ("photo.tiff", "tiff", "TIFF"), ("photo.ico", "ico", "ICO"), ("photo.ppm", "netpbm", "PPM"),
    ("photo.pcx", "pcx", "PCX"), ("photo.tga", "tga", "TGA"), ("photo.jp2", "jp2", "JPEG2000"), ("photo.icns", "icns", "ICNS"),
    ("photo.dds", "dds", "DDS"), ("photo.avif", "avif", "AVIF"), ("photo.qoi", "qoi", "QOI"),
):  # fmt: skip
    made(_name, _kind)(_image(_form))
made("progressive.jpeg", "jpeg")(_image("JPEG", progressive=True, quality=30))
made("lossless.webp", "webp")(_image("WEBP", lossless=True))
made("scan.pdf", "pdf")(_image("PDF"))


@made("stack.ome.tif", "ome-tiff", "tiff")
def _ome(path: Path) -> None:
    np = library("numpy")
    tifffile = library("tifffile")

    with path.open("wb") as out:
        tifffile.imwrite(out, np.zeros((2, 8, 8), dtype=np.uint8), ome=True, metadata={"axes": "ZYX"})


@made("big.tif", "tiff")
def _bigtiff(path: Path) -> None:
    np = library("numpy")
    tifffile = library("tifffile")

    with path.open("wb") as out:
        tifffile.imwrite(out, np.zeros((8, 8), dtype=np.uint8), bigtiff=True)


@made("dem.tif", "geotiff", "tiff")
def _geotiff(path: Path) -> None:
    np = library("numpy")
    tifffile = library("tifffile")

    keys = (1, 1, 0, 1, 1024, 0, 1, 2)
    tags = [(33550, "d", 3, (1.0, 1.0, 0.0), True), (33922, "d", 6, (0.0,) * 6, True), (34735, "H", 8, keys, True)]
    with path.open("wb") as out:
        tifffile.imwrite(out, np.zeros((8, 8), dtype=np.float32), extratags=tags)


@made("tone.wav", "wav")
def _wav(path: Path) -> None:
    with path.open("wb") as out, wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(800))


def _sound(form: str, subtype: str | None = None) -> Write:
    def write(path: Path) -> None:
        np = library("numpy")
        soundfile = library("soundfile")

        with path.open("wb") as out:
            soundfile.write(out, np.zeros(8000), 8000, format=form, subtype=subtype)

    return write


for _name, _kind, _form, _sub in (
    ("tone.flac", "flac", "FLAC", None), ("tone.ogg", "ogg", "OGG", "VORBIS"), ("tone.opus", "opus, ogg", "OGG", "OPUS"),
    ("tone.aiff", "aiff", "AIFF", None), ("tone.au", "au", "AU", None), ("tone.caf", "caf", "CAF", None),
    ("tone.mp3", "mp3", "MP3", None), ("float.wav", "wav", "WAV", "FLOAT"),
):  # fmt: skip
    made(_name, _kind)(_sound(_form, _sub))


@made("tagged.mp3", "mp3")
def _id3(path: Path) -> None:
    ID3 = library("mutagen.id3.ID3")
    TIT2 = library("mutagen.id3.TIT2")

    _sound("MP3")(path)
    tags = ID3()
    tags.add(TIT2(encoding=3, text="Tone"))
    tags.save(str(path))


@made("song.mid", "midi")
def _midi(path: Path) -> None:
    mido = library("mido")

    song = mido.MidiFile()
    track = mido.MidiTrack()
    track.append(mido.Message("note_on", note=60))
    song.tracks.append(track)
    with path.open("wb") as out:
        song.save(file=out)


def _video(form: str, codec: str) -> Write:
    def write(path: Path) -> None:
        av = library("av")

        with path.open("wb") as out, av.open(out, "w", format=form) as film:
            stream = film.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for _ in range(3):
                film.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
            film.mux(stream.encode(None))

    return write


for _name, _kind, _form, _codec in (
    ("clip.mp4", "mp4", "mp4", "mpeg4"), ("clip.mov", "mov, mp4", "mov", "mpeg4"), ("clip.mkv", "mkv", "matroska", "mpeg4"),
    ("clip.webm", "webm", "webm", "libvpx"), ("clip.avi", "avi", "avi", "mpeg4"), ("clip.ts", "mpeg-ts", "mpegts", "mpeg2video"),
    ("clip.flv", "flv", "flv", "flv"), ("clip.mpg", "mpeg", "mpeg", "mpeg1video"), ("clip.wmv", "wmv", "asf", "wmv2"),
    ("clip.3gp", "3gp, mp4", "3gp", "mpeg4"), ("clip.y4m", "y4m", "yuv4mpegpipe", "wrapped_avframe"),
):  # fmt: skip
    made(_name, _kind)(_video(_form, _codec))


# captures and the rest -----------------------------------------------------------------------------------------------------
@made("trace.pcap", "pcap")
def _pcap(path: Path) -> None:
    dpkt = library("dpkt")

    with path.open("wb") as out:
        writer = dpkt.pcap.Writer(out)
        writer.writepkt(bytes(60), 1.0)


@made("trace.pcapng", "pcapng")
def _pcapng(path: Path) -> None:
    dpkt = library("dpkt")

    with path.open("wb") as out:
        writer = dpkt.pcapng.Writer(out)
        writer.writepkt(bytes(60), 1.0)


@made("face.ttf", "ttf")
def _ttf(path: Path) -> None:
    _font(path, None)


@made("face.woff2", "woff2")
def _woff2(path: Path) -> None:
    _font(path, "woff2")


@made("face.woff", "woff")
def _woff(path: Path) -> None:
    _font(path, "woff")


def _font(path: Path, flavor: str | None) -> None:
    FontBuilder = library("fontTools.fontBuilder.FontBuilder")
    TTGlyphPen = library("fontTools.pens.ttGlyphPen.TTGlyphPen")

    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef"])
    builder.setupCharacterMap({})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph()})
    builder.setupHorizontalMetrics({".notdef": (500, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Demo", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.font.flavor = flavor
    with path.open("wb") as out:
        builder.font.save(out)


@made("tool", "elf")
def _elf(path: Path) -> None:
    import sys

    path.write_bytes(Path(sys.executable).resolve().read_bytes()[:70_000])
